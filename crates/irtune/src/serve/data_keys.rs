//! Which keys of a task hold the texts.

use std::str::FromStr;

/// The keys of a Label Studio task's data that hold the texts; dots lead into objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeys {
    /// The text before.
    pub original: String,
    /// The text after.
    pub revised: String,
}

/// Not two keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not two keys with a comma between them, such as before,after")]
pub struct NoDataKeys(String);

impl FromStr for DataKeys {
    type Err = NoDataKeys;

    fn from_str(text: &str) -> Result<DataKeys, NoDataKeys> {
        match text.split_once(',').map(|(original, revised)| (original.trim(), revised.trim())) {
            Some((original, revised)) if !original.is_empty() && !revised.is_empty() => {
                Ok(DataKeys { original: original.to_owned(), revised: revised.to_owned() })
            }
            _ => Err(NoDataKeys(text.to_owned())),
        }
    }
}

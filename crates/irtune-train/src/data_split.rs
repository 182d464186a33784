//! The three splits of a run's data.

use serde::{Deserialize, Serialize};
use strum::Display;

/// A split of a run's data; shown as the adjective of its pairs, as in "training pairs".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display)]
#[serde(rename_all = "snake_case")]
pub enum DataSplit {
    /// What the model learns from.
    #[strum(to_string = "training")]
    Train,
    /// What the best model is chosen by.
    #[strum(to_string = "validation")]
    Validation,
    /// What the chosen model is measured on, once, at the end.
    #[strum(to_string = "test")]
    Test,
}

impl DataSplit {
    /// Its name in files: `train`, `validation` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            DataSplit::Train => "train",
            DataSplit::Validation => "validation",
            DataSplit::Test => "test",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_files_and_of_messages() {
        for (split, name, shown) in [
            (DataSplit::Train, "train", "training"),
            (DataSplit::Validation, "validation", "validation"),
            (DataSplit::Test, "test", "test"),
        ] {
            assert_eq!((split.name(), split.to_string().as_str()), (name, shown));
            assert_eq!(serde_json::to_value(split).unwrap(), name);
        }
    }
}

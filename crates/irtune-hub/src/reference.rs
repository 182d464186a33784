//! What a user may write after `--base`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{ALIASES, Alias};

/// A base model as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A folder or GGUF file.
    Path(PathBuf),
    /// A repository on the Hugging Face hub.
    Hub(HubName),
    /// One of the short names.
    Alias(&'static Alias),
}

/// A repository's name on the Hugging Face hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubName {
    /// The user or organisation.
    pub organisation: String,
    /// The repository.
    pub name: String,
}

/// Why a text names no base.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// `hf:` is not followed by two names.
    #[error("`{given}` is not of the form hf:ORG/NAME")]
    HubName {
        /// What was written.
        given: String,
    },
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if let Some(name) = text.strip_prefix("hf:") {
            return name.parse().map(Self::Hub);
        }
        let lower = text.to_ascii_lowercase();
        let alias = ALIASES.iter().find(|alias| alias.names.contains(&lower.as_str()));
        Ok(alias.map_or_else(|| Self::Path(PathBuf::from(text)), Self::Alias))
    }
}

impl Reference {
    /// What others find the base by: its name on the hub, or the path as given.
    pub fn public_name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Hub(name) => name.to_string(),
            Self::Alias(alias) => alias.hub().to_string(),
        }
    }
}

impl FromStr for HubName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let problem = || ReferenceError::HubName { given: format!("hf:{text}") };
        let (organisation, name) = text.split_once('/').ok_or_else(problem)?;
        // These become folder names: nothing may climb out of the cache.
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
        };
        if !plain(organisation) || !plain(name) {
            return Err(problem());
        }
        Ok(Self { organisation: organisation.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for HubName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.organisation, self.name)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(formatter),
            Self::Hub(name) => write!(formatter, "hf:{name}"),
            Self::Alias(alias) => formatter.write_str(alias.names[0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_recognised() {
        assert!(matches!("SmolLM2".parse(), Ok(Reference::Alias(alias)) if alias.names[0] == "smollm2"));
        assert!(matches!("smollm2-135m".parse(), Ok(Reference::Alias(_))));
        assert_eq!("hf:Org/Name-1.5".parse::<Reference>().unwrap().to_string(), "hf:Org/Name-1.5");
        assert_eq!("models/mine".parse(), Ok(Reference::Path(PathBuf::from("models/mine"))));
    }

    #[test]
    fn hub_names_cannot_leave_the_cache() {
        for given in ["hf:", "hf:one", "hf:../up", "hf:a/..", "hf:a/b/c", "hf:/b", "hf:a/"] {
            assert_eq!(
                given.parse::<Reference>(),
                Err(ReferenceError::HubName { given: given.to_owned() }),
                "{given}"
            );
        }
        assert_eq!("".parse::<Reference>(), Err(ReferenceError::Empty));
    }
}

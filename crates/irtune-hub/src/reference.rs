//! What a user may write after `--base`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{ALIASES, Alias};

/// What a name on the hub looks like, for messages.
pub(crate) const HUB_FORM: &str = "hf:ORG/NAME[:QUANTISATION][@REVISION]";

/// A base model as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A folder or GGUF file.
    Path(PathBuf),
    /// A model on the Hugging Face hub.
    Hub(HubModel),
    /// One of the short names.
    Alias(&'static Alias),
}

/// A model on the Hugging Face hub: `hf:ORG/NAME[:QUANTISATION][@REVISION]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubModel {
    /// The repository.
    pub name: HubName,
    /// Which of a repository's GGUF files, as it ends: `Q4_K_M` means `…-Q4_K_M.gguf`.
    pub quantisation: Option<String>,
    /// A branch, a tag or a commit; the branch `main` when there is none.
    pub revision: Option<String>,
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
    /// What follows `hf:` names no model.
    #[error("`{given}` is not of the form {HUB_FORM}")]
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
            Self::Hub(model) => model.name.to_string(),
            Self::Alias(alias) => alias.hub().name.to_string(),
        }
    }
}

impl HubModel {
    /// As it is written, without `hf:`.
    pub(crate) fn without_prefix(&self) -> String {
        self.to_string().split_off("hf:".len())
    }

    /// The branch, tag or commit that is meant.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }
}

impl FromStr for HubModel {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let problem = || ReferenceError::HubName { given: format!("hf:{text}") };
        let (rest, revision) = split_once(text, '@');
        let (repository, quantisation) = split_once(rest, ':');
        let (organisation, name) = repository.split_once('/').ok_or_else(problem)?;
        // All of these become file names: nothing may climb out of the cache.
        let parts = [organisation, name].into_iter().chain(quantisation);
        let revision_parts = revision.into_iter().flat_map(|revision| revision.split('/'));
        if !parts.chain(revision_parts).all(is_plain) {
            return Err(problem());
        }
        Ok(Self {
            name: HubName { organisation: organisation.to_owned(), name: name.to_owned() },
            quantisation: quantisation.map(str::to_owned),
            revision: revision.map(str::to_owned),
        })
    }
}

/// The text before a mark, and what follows it if it is there.
fn split_once(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn is_plain(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('.')
        && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter))
}

impl fmt::Display for HubName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.organisation, self.name)
    }
}

impl fmt::Display for HubModel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "hf:{}", self.name)?;
        if let Some(quantisation) = &self.quantisation {
            write!(formatter, ":{quantisation}")?;
        }
        match &self.revision {
            Some(revision) => write!(formatter, "@{revision}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(formatter),
            Self::Hub(model) => model.fmt(formatter),
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
        assert_eq!("models/mine".parse(), Ok(Reference::Path(PathBuf::from("models/mine"))));
        for (text, quantisation, revision) in [
            ("hf:Org/Name-1.5", None, "main"),
            ("hf:Org/Name-1.5@v2.0", None, "v2.0"),
            ("hf:Org/Name-1.5@refs/pr/3", None, "refs/pr/3"),
            ("hf:Org/Name-1.5:Q4_K_M", Some("Q4_K_M"), "main"),
            ("hf:Org/Name-1.5:Q4_K_M@0123abc", Some("Q4_K_M"), "0123abc"),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(
                (reference.to_string().as_str(), reference.public_name().as_str()),
                (text, "Org/Name-1.5")
            );
            let Reference::Hub(model) = reference else { panic!("{text}") };
            assert_eq!((model.quantisation.as_deref(), model.revision()), (quantisation, revision));
        }
    }

    #[test]
    fn hub_names_cannot_leave_the_cache() {
        for given in [
            "hf:",
            "hf:one",
            "hf:../up",
            "hf:a/..",
            "hf:a/b/c",
            "hf:/b",
            "hf:a/",
            "hf:a/b@",
            "hf:a/b:",
            "hf:a/b@../c",
            "hf:a/b@c//d",
            "hf:a/b@/etc",
            "hf:a/b:../c",
            "hf:a/b@c@d",
            "hf:a/b:c:d",
            "hf:a/b@c:d",
        ] {
            assert_eq!(
                given.parse::<Reference>(),
                Err(ReferenceError::HubName { given: given.to_owned() }),
                "{given}"
            );
        }
        assert_eq!("".parse::<Reference>(), Err(ReferenceError::Empty));
    }
}

//! One revision as a program holds it, before anything is checked.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::votes::Votes;

/// The texts of a revision and what is known about them; as JSON an object in which what is missing is left out.
///
/// A row has a text before or a text after the revision, or both. [`crate::Pairs::from_rows`] checks that.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The text before the revision; empty for an addition.
    #[serde(default)]
    pub original: String,
    /// The text after the revision; empty for a deletion.
    #[serde(default)]
    pub revised: String,
    /// The intention; the majority of the votes when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What several annotators said, or the row's labels where it can have several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes: Option<Votes>,
    /// The document; a hold-out never separates the pairs of one document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The row's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
}

impl Row {
    /// A row of two texts, and nothing else known.
    pub fn new(original: impl Into<String>, revised: impl Into<String>) -> Row {
        Row { original: original.into(), revised: revised.into(), ..Row::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_an_object_without_what_is_missing() {
        let row = Row { label: Some("tone".into()), ..Row::new("a", "b") };
        let json = serde_json::to_string(&row).unwrap();
        assert_eq!(json, r#"{"original":"a","revised":"b","label":"tone"}"#);
        assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), row);
        assert_eq!(serde_json::from_str::<Row>(r#"{"revised":"b"}"#).unwrap(), Row::new("", "b"));
        assert!(serde_json::from_str::<Row>(r#"{"revized":"b"}"#).is_err());
    }
}

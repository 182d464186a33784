//! What several annotators said of one pair.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::number::{canonical, same_name};

/// The most labels that a list may hold; every two annotators are compared.
const MOST_ENTRIES: usize = 1000;

/// The largest weight: sums of them stay numbers.
const MOST: f64 = 1e9;

/// The labels that several annotators gave to one pair: as JSON a list of labels, or an object of labels with weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Votes {
    /// One entry an annotator, in the same order in every row; nothing where one said nothing.
    Annotators(Vec<Option<String>>),
    /// What each label counts, such as how many chose it, or a probability.
    Weights(BTreeMap<String, f64>),
}

/// A value that holds no votes; says what is wrong, to follow "the column holds".
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum VotesError {
    /// A list that is too long to be annotators' or a row's labels.
    #[error("a list of {entries} labels, and at most {MOST_ENTRIES} are read; is it the right column?")]
    Entries {
        /// How many it has.
        entries: usize,
    },
    /// An entry of a list that is no label.
    #[error("a list with {found} in it; every annotator's entry is a label or null")]
    Label {
        /// What stands there.
        found: &'static str,
    },
    /// A weight that is none.
    #[error("{found} as the weight of {label:?}; a weight is a number from 0 to 1e9")]
    Weight {
        /// The label.
        label: String,
        /// What stands there.
        found: String,
    },
    /// A text that looks like a list or an object, and is none.
    #[error(
        "{text:?}, which is no list of labels; write [\"a\", \"b\"] or {{\"a\": 2, \"b\": 1}}, with double quotes"
    )]
    Json {
        /// The text.
        text: String,
    },
}

impl Votes {
    /// The votes in a list or an object; `None` for any other value.
    ///
    /// # Errors
    /// When an entry is no label, or a weight no number from 0.
    pub(crate) fn of(value: &Value) -> Result<Option<Votes>, VotesError> {
        match value {
            Value::Array(entries) if entries.len() > MOST_ENTRIES => {
                Err(VotesError::Entries { entries: entries.len() })
            }
            Value::Array(entries) => {
                let labels = entries.iter().map(label).collect::<Result<_, _>>()?;
                Ok(Some(Votes::Annotators(labels)))
            }
            Value::Object(entries) => {
                // Tables have a value for every label, null where a row has none.
                let weights = entries.iter().filter(|(_, value)| !value.is_null()).map(|(label, value)| {
                    let weight =
                        value.as_f64().filter(|weight| (0.0..=MOST).contains(weight)).ok_or_else(|| {
                            VotesError::Weight { label: label.clone(), found: value.to_string() }
                        })?;
                    Ok((label.trim().to_owned(), weight))
                });
                Ok(Some(Votes::Weights(weights.collect::<Result<_, _>>()?)))
            }
            _ => Ok(None),
        }
    }

    /// The list or object that a text is written as; `None` for a text that is a plain label.
    ///
    /// # Errors
    /// When the text is a list in another way of writing.
    pub(crate) fn json(text: &str) -> Result<Option<Value>, VotesError> {
        let text = text.trim();
        let bracketed = [('[', ']'), ('{', '}')]
            .iter()
            .any(|&(open, close)| text.starts_with(open) && text.ends_with(close));
        if !bracketed {
            return Ok(None);
        }
        match serde_json::from_str::<Value>(text) {
            Ok(value) => Ok(Some(value)),
            // Brackets may belong to a label's name, quotes inside them hardly.
            Err(_) if text.contains(['"', '\'']) => Err(VotesError::Json { text: text.to_owned() }),
            Err(_) => Ok(None),
        }
    }

    /// All labels that are named.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        self.weights().into_iter().map(|(label, _)| label)
    }

    /// What each label counts, in the order in which they are named first; labels without weight are left out.
    fn weights(&self) -> Vec<(&str, f64)> {
        match self {
            Votes::Annotators(labels) => {
                let mut weights: Vec<(&str, f64)> = Vec::new();
                for label in labels.iter().flatten() {
                    match weights.iter_mut().find(|(known, _)| known == label) {
                        Some((_, weight)) => *weight += 1.0,
                        None => weights.push((label, 1.0)),
                    }
                }
                weights
            }
            Votes::Weights(weights) => {
                let weights = weights.iter().map(|(label, weight)| (label.as_str(), *weight));
                weights.filter(|(_, weight)| *weight > 0.0).collect()
            }
        }
    }

    /// The share of each label, above 0, of a sum of 1; nothing when nobody said anything.
    pub fn shares(&self) -> Vec<(&str, f64)> {
        let weights = self.weights();
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        weights.into_iter().map(|(label, weight)| (label, weight / total)).collect()
    }

    /// The label that counts most. Of several that do, the one that `gold` names, else the one that is named first; in
    /// weights that is the first of the alphabet.
    pub fn majority(&self, gold: Option<&str>) -> Option<&str> {
        let weights = self.weights();
        let most = weights.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
        let mut tied = weights.iter().filter(|(_, weight)| *weight == most).map(|(label, _)| *label);
        let first = tied.clone().next();
        tied.find(|label| Some(*label) == gold).or(first)
    }

    /// The same without what was said for some labels.
    pub(crate) fn without(self, labels: &[String]) -> Votes {
        match self {
            Votes::Annotators(entries) => {
                let kept = |entry: Option<String>| entry.filter(|label| !names(labels, label));
                Votes::Annotators(entries.into_iter().map(kept).collect())
            }
            Votes::Weights(mut weights) => {
                weights.retain(|label, _| !names(labels, label));
                Votes::Weights(weights)
            }
        }
    }
}

/// Whether one of the labels has this name.
fn names(labels: &[String], name: &str) -> bool {
    labels.iter().any(|label| same_name(label, name))
}

fn label(entry: &Value) -> Result<Option<String>, VotesError> {
    match entry {
        Value::String(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)),
        Value::Number(number) => {
            let written = number.to_string();
            Ok(Some(canonical(&written).unwrap_or(written)))
        }
        Value::Bool(value) => Ok(Some(value.to_string())),
        Value::Null => Ok(None),
        Value::Array(_) => Err(VotesError::Label { found: "a list" }),
        Value::Object(_) => Err(VotesError::Label { found: "an object" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn votes(text: &str) -> Votes {
        Votes::of(&Votes::json(text).unwrap().unwrap()).unwrap().unwrap()
    }

    #[test]
    fn shares_are_counted_in_the_order_of_naming() {
        let list = votes(r#"["tone", "claim", " tone ", null, ""]"#);
        assert_eq!(list.shares(), [("tone", 2.0 / 3.0), ("claim", 1.0 / 3.0)]);
        assert_eq!(
            votes(r#"{"tone": 1, "claim": 3, "other": 0}"#).shares(),
            [("claim", 0.75), ("tone", 0.25)]
        );
        assert_eq!(votes("[null]").shares(), []);
    }

    #[test]
    fn the_majority_is_the_label_and_ties_have_a_rule() {
        assert_eq!(votes(r#"["tone", "claim", "claim"]"#).majority(Some("tone")), Some("claim"));
        let tie = votes(r#"["tone", "claim", null]"#);
        assert_eq!(tie.majority(None), Some("tone"));
        assert_eq!(tie.majority(Some("claim")), Some("claim"));
        assert_eq!(tie.majority(Some("other")), Some("tone"));
        assert_eq!(votes(r#"{"tone": 0.5, "claim": 0.5}"#).majority(None), Some("claim"));
        assert_eq!(votes("[]").majority(Some("tone")), None);
    }

    #[test]
    fn dropped_labels_have_no_vote() {
        let labels = ["others".to_owned()];
        let list = votes(r#"["tone", "others"]"#).without(&labels);
        assert_eq!(list, Votes::Annotators(vec![Some("tone".to_owned()), None]));
        assert_eq!(votes(r#"{"others": 1, "tone": 1}"#).without(&labels).shares(), [("tone", 1.0)]);
    }

    #[test]
    fn a_text_is_a_plain_label_unless_it_is_a_list() {
        for plain in ["tone", "[tone]", "{x", "12"] {
            let votes = Votes::json(plain).unwrap().map(|json| Votes::of(&json));
            assert!(matches!(votes, None | Some(Ok(None))), "{plain}");
        }
        let of = |text: &str| Votes::json(text).and_then(|json| Votes::of(&json.unwrap()));
        let said = |text: &str| of(text).unwrap_err().to_string();
        assert!(said("['tone', 'claim']").contains("with double quotes"));
        assert_eq!(said("[[]]"), "a list with a list in it; every annotator's entry is a label or null");
        assert_eq!(
            said(&format!("[{}]", ["\"x\""; 1001].join(","))),
            "a list of 1001 labels, and at most 1000 are read; is it the right column?"
        );
        let weights = Votes::of(&serde_json::json!({"tone": 0.5, "style": null})).unwrap();
        assert_eq!(weights, Some(Votes::Weights(BTreeMap::from([("tone".to_owned(), 0.5)]))));
        assert!(said(r#"{"tone": 1e308, "style": 1e308}"#).contains(" as the weight of \"tone\""));
        assert_eq!(
            said(r#"{"tone": -1}"#),
            "-1 as the weight of \"tone\"; a weight is a number from 0 to 1e9"
        );
        assert_eq!(
            said(r#"{"tone": "x"}"#),
            "\"x\" as the weight of \"tone\"; a weight is a number from 0 to 1e9"
        );
    }

    #[test]
    fn it_is_json_as_it_came() {
        for text in [r#"["tone",null]"#, r#"{"claim":0.5,"tone":2.0}"#] {
            assert_eq!(serde_json::to_string(&votes(text)).unwrap(), text);
            assert_eq!(serde_json::from_str::<Votes>(text).unwrap(), votes(text));
        }
    }
}

//! A pair to be written.

use irtune_data::{Pair, Votes};
use irtune_train::{Prediction, Told};
use serde_json::{Value, json};

use super::ConvertError;

/// A pair, and what a model says of it.
#[derive(Debug, Clone)]
pub struct Converted {
    /// The pair.
    pub pair: Pair,
    /// What the model says of it.
    pub prediction: Option<Prediction>,
}

impl Converted {
    /// What is known of its label in one value: a label, a list of labels, what each annotator said, weights, or null.
    pub(super) fn said(&self) -> Value {
        let Pair { label, votes, labels, .. } = &self.pair;
        match (labels, votes, label) {
            (Some(labels), ..) => json!(labels),
            (_, Some(votes), _) => json!(votes),
            (_, _, label) => json!(label),
        }
    }

    /// The label that was agreed on, where the votes alone don't say it.
    pub(super) fn agreed(&self) -> Option<&str> {
        let votes = self.pair.votes.as_ref()?;
        let label = self.pair.label.as_deref();
        label.filter(|label| votes.majority(None) != Some(label))
    }

    /// What each annotator said: all labels of one, or nothing.
    ///
    /// # Errors
    /// When only weights are known.
    pub(super) fn annotators(&self) -> Result<Vec<Option<Vec<&str>>>, ConvertError> {
        let Pair { label, votes, labels, place, .. } = &self.pair;
        Ok(match (labels, votes, label) {
            (Some(labels), ..) => vec![Some(labels.iter().map(String::as_str).collect())],
            (_, Some(Votes::Annotators(entries)), _) => {
                entries.iter().map(|entry| entry.as_deref().map(|label| vec![label])).collect()
            }
            (_, Some(Votes::Weights(_)), _) => {
                return Err(ConvertError::Weights { place: place.to_string() });
            }
            (_, _, label) => label.iter().map(|label| Some(vec![label.as_str()])).collect(),
        })
    }

    /// The labels that the model gives, and how sure it is; nothing where it gives none.
    pub(super) fn predicted(&self) -> Option<(&[String], f64)> {
        let prediction = self.prediction.as_ref()?;
        let labels = prediction.labels();
        let values = prediction.probabilities.values();
        let score = match prediction.told {
            Told::Label(_) | Told::Abstained => values.iter().copied().fold(0.0, f64::max),
            Told::Labels(_) => values.iter().map(|value| value.max(1.0 - value)).fold(1.0, f64::min),
        };
        (!labels.is_empty()).then_some((labels, score))
    }
}

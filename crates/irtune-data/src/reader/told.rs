//! What a row says of its labels, by what is asked for.

use std::collections::BTreeSet;

use super::labels::Labels;
use crate::error::{DataError, Quoted};
use crate::number::same_name;
use crate::place::Place;
use crate::votes::Votes;

/// What the label column of a row holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    /// The label, or the majority of the votes.
    pub label: Option<String>,
    /// What several annotators said, or the row's labels.
    pub votes: Option<Votes>,
    /// The votes are labels of the row, and no annotators'.
    pub are_labels: bool,
}

impl Said {
    /// All labels that are named.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        let votes = self.votes.iter().flat_map(Votes::labels);
        self.label.as_deref().into_iter().chain(votes)
    }
}

/// A pair's label, what its annotators said, or its several labels.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub label: Option<String>,
    pub votes: Option<Votes>,
    pub labels: Option<Vec<String>>,
}

/// Why a row makes no pair.
#[derive(Debug, PartialEq)]
pub(super) enum Untold {
    /// Its label is one of those to drop.
    Dropped,
    /// It has no label.
    Nothing,
    /// It has weights where labels are needed.
    Weights,
    /// It has several labels where one is needed.
    Several(Vec<String>),
}

/// What a row says.
pub(super) fn told(said: Said, labels: Labels, drop_labels: &[String]) -> Result<Told, Untold> {
    let Said { label, votes, are_labels } = said;
    let is_dropped = |label: &String| drop_labels.iter().any(|drop| same_name(drop, label));
    if labels == Labels::Several {
        let given: Vec<String> = match (votes, label) {
            (Some(Votes::Weights(_)), _) => return Err(Untold::Weights),
            (Some(Votes::Annotators(entries)), _) => entries.into_iter().flatten().collect(),
            (None, Some(label)) => vec![label],
            (None, None) => return Err(Untold::Nothing),
        };
        let kept: BTreeSet<&String> = given.iter().filter(|label| !is_dropped(label)).collect();
        let kept: Vec<String> = kept.into_iter().cloned().collect();
        return match kept.is_empty() && !given.is_empty() {
            true => Err(Untold::Dropped),
            false => Ok(Told { label: None, votes: None, labels: Some(kept) }),
        };
    }
    let votes = match votes {
        Some(Votes::Annotators(entries)) if are_labels => {
            let different: BTreeSet<String> = entries.into_iter().flatten().collect();
            if different.len() > 1 {
                return Err(Untold::Several(different.into_iter().collect()));
            }
            None
        }
        votes => votes,
    };
    if labels == Labels::Required {
        match &label {
            Some(label) if is_dropped(label) => return Err(Untold::Dropped),
            Some(_) => {}
            None => return Err(Untold::Nothing),
        }
    }
    Ok(Told { label, votes: votes.map(|votes| votes.without(drop_labels)), labels: None })
}

/// What is wrong with a row that does not say what is asked for; `column` is that of the label, where the row is a file's.
pub(super) fn error(untold: Untold, place: Place, column: Option<String>, labels: Labels) -> DataError {
    match (untold, labels) {
        (Untold::Weights, _) => DataError::WeightedLabels { place },
        (Untold::Several(labels), _) => DataError::SeveralLabels { place, column, labels: Quoted(labels) },
        (_, Labels::Several) => DataError::MissingLabels { place, column },
        _ => DataError::MissingLabel { place, column },
    }
}

//! What a row says of its labels, by what is asked for.

use std::collections::BTreeSet;

use super::Labels;
use crate::error::DataError;
use crate::place::Place;
use crate::votes::Votes;

/// A pair's label, what its annotators said, or its several labels.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub label: Option<String>,
    pub votes: Option<Votes>,
    pub labels: Option<Vec<String>>,
}

/// Why a row does not say what is needed.
#[derive(Debug, PartialEq)]
pub(super) enum Untold {
    /// It has no label.
    Nothing,
    /// It has weights where labels are needed.
    Weights,
}

/// What a row with this label and these votes says; `Ok(None)` when it is to be dropped.
pub(super) fn told(
    label: Option<String>,
    votes: Option<Votes>,
    labels: Labels,
    drop_labels: &[String],
) -> Result<Option<Told>, Untold> {
    let is_dropped = |label: &String| drop_labels.contains(label);
    if labels == Labels::Several {
        let given: Vec<String> = match (votes, label) {
            (Some(Votes::Weights(_)), _) => return Err(Untold::Weights),
            (Some(Votes::Annotators(entries)), _) => entries.into_iter().flatten().collect(),
            (None, Some(label)) => vec![label],
            (None, None) => return Err(Untold::Nothing),
        };
        let kept: BTreeSet<&String> = given.iter().filter(|label| !is_dropped(label)).collect();
        let kept: Vec<String> = kept.into_iter().cloned().collect();
        let left = !kept.is_empty() || given.is_empty();
        return Ok(left.then_some(Told { label: None, votes: None, labels: Some(kept) }));
    }
    if labels == Labels::Required {
        match &label {
            Some(label) if is_dropped(label) => return Ok(None),
            Some(_) => {}
            None => return Err(Untold::Nothing),
        }
    }
    Ok(Some(Told { label, votes: votes.map(|votes| votes.without(drop_labels)), labels: None }))
}

/// A row without what `labels` asks of it.
pub(super) fn missing(place: Place, column: Option<String>, labels: Labels) -> DataError {
    match labels {
        Labels::Several => DataError::MissingLabels { place, column },
        Labels::Required | Labels::Optional => DataError::MissingLabel { place, column },
    }
}

//! Pairs as rows of a training.

use irtune_data::{Id, Pair, Row, Votes};
use irtune_labelling::store::{TrainingLabel, TrainingPair};

/// A pair of a file.
pub(super) fn of_pair(pair: Pair) -> Row {
    let several = pair.labels.map(|labels| Votes::Annotators(labels.into_iter().map(Some).collect()));
    Row {
        original: pair.original,
        revised: pair.revised,
        label: pair.label,
        votes: several.or(pair.votes),
        group: pair.group,
        id: pair.id,
    }
}

/// A pair that people labelled.
pub(super) fn of_labelled(pair: &TrainingPair) -> Row {
    let (label, votes) = match &pair.label {
        TrainingLabel::One(label) => (Some(label.clone()), None),
        TrainingLabel::Votes(votes) => (None, Some(Votes::Annotators(votes.clone()))),
        TrainingLabel::Several(labels) => {
            (None, Some(Votes::Annotators(labels.iter().cloned().map(Some).collect())))
        }
    };
    Row {
        original: pair.original.clone(),
        revised: pair.revised.clone(),
        label,
        votes,
        group: pair.group.clone(),
        id: Some(Id::from(pair.id.clone())),
    }
}

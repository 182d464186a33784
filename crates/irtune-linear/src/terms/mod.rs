//! What a pair's change says in words: the terms that are counted.

mod words;

use irtune_data::Change;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter};

pub use words::word_terms;

/// A kind of terms, with a vocabulary of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Field {
    /// Words and marks that were taken out.
    RemovedWords,
    /// Words and marks that were put in.
    AddedWords,
    /// The words of the revised text right before and right after each changed place.
    WordsBeside,
}

impl Field {
    /// The terms of a change, in order, each as often as it stands there.
    pub fn terms(self, change: &Change<'_>) -> Vec<String> {
        let hunks = change.hunks().iter();
        match self {
            Field::RemovedWords => hunks.flat_map(|hunk| word_terms(change.removed(hunk))).collect(),
            Field::AddedWords => hunks.flat_map(|hunk| word_terms(change.added(hunk))).collect(),
            Field::WordsBeside => hunks
                .flat_map(|hunk| {
                    let revised = change.revised();
                    words::beside(&revised[..hunk.added.start], &revised[hunk.added.end..])
                })
                .collect(),
        }
    }
}

//! Label columns of lists: what several annotators said has one entry for each of them, in every row.

use std::collections::BTreeSet;

use super::told::{Said, Untold};
use crate::place::Place;
use crate::votes::Votes;

/// What lists of a file were met. A list of one label is that label; a list of several different ones is what several
/// annotators said. Both in one file are labels of pairs that can have several, whatever else was meant.
#[derive(Debug, Default)]
pub(super) struct ListsMet {
    /// Whether there was a list of one label.
    one: bool,
    /// The first list of different labels, with its row.
    several: Option<(Place, Vec<String>)>,
}

impl ListsMet {
    /// Adds what a row says; gives the row that has several labels, where others have lists of one.
    pub fn add(&mut self, said: &Said, place: &Place) -> Option<(Place, Untold)> {
        let Some(Votes::Annotators(entries)) = &said.votes else { return None };
        if said.are_labels {
            return None;
        }
        let different: BTreeSet<&String> = entries.iter().flatten().collect();
        self.one |= entries.len() == 1 && different.len() == 1;
        if different.len() > 1 && self.several.is_none() {
            self.several = Some((place.clone(), different.into_iter().cloned().collect()));
        }
        match (self.one, &self.several) {
            (true, Some((place, labels))) => Some((place.clone(), Untold::Several(labels.clone()))),
            _ => None,
        }
    }
}

//! Pairs that a corpus holds more than once.

use std::collections::HashMap;

use serde::Serialize;

use crate::pair::Pair;

/// Pairs that stand in a corpus more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Repeats {
    /// Rows that repeat an earlier one: both texts and the label.
    pub duplicates: Vec<Repeat>,
    /// Pairs of texts under more than one label.
    pub conflicts: Vec<Conflict>,
}

/// A row that repeats another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repeat {
    /// The row.
    pub place: String,
    /// The first row that is the same.
    pub first: String,
}

/// The same two texts under more than one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The first row of each label, with the label, in the order of the corpus.
    pub rows: Vec<(String, String)>,
}

impl Repeats {
    /// Of all pairs of a corpus.
    pub fn of(pairs: &[Pair]) -> Repeats {
        // The first row of each label, by texts.
        let mut seen: HashMap<(&str, &str), Vec<&Pair>> = HashMap::with_capacity(pairs.len());
        let mut duplicates = Vec::new();
        let mut order = Vec::new();
        for pair in pairs {
            let texts = (pair.original.as_str(), pair.revised.as_str());
            let firsts = seen.entry(texts).or_default();
            match firsts.iter().find(|first| first.label_text() == pair.label_text()) {
                Some(first) => {
                    duplicates.push(Repeat { place: pair.place.to_string(), first: first.place.to_string() })
                }
                None => {
                    firsts.push(pair);
                    if firsts.len() == 2 {
                        order.push(texts);
                    }
                }
            }
        }
        let conflicts = order.into_iter().filter_map(|texts| {
            let labelled =
                seen[&texts].iter().filter_map(|pair| Some((pair.place.to_string(), pair.label_text()?)));
            let rows: Vec<(String, String)> = labelled.collect();
            (rows.len() > 1).then_some(Conflict { rows })
        });
        let conflicts = conflicts.collect();
        Repeats { duplicates, conflicts }
    }
}

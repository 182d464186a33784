//! Sentences that stand elsewhere.

use super::Pairing;
use super::similarity::Words;
use super::unit::Unit;
use std::collections::HashMap;

/// Sentences this alike are one that moved.
const ALIKE: f64 = 0.7;

/// Words that a sentence has at least to be known again elsewhere.
const LEAST_WORDS: u32 = 4;

/// A word says that a sentence is the same only if this few sentences have it.
const RARE: usize = 20;

/// Which deletions and additions are one move, by their places among the pairings.
#[derive(Debug, Default)]
pub(super) struct Moves {
    source_of: HashMap<usize, usize>,
    target_of: HashMap<usize, usize>,
}

impl Moves {
    /// Whether what is deleted here stands elsewhere.
    pub fn is_source(&self, pairing: usize) -> bool {
        self.target_of.contains_key(&pairing)
    }

    /// Where what is added here stood before.
    pub fn source_of(&self, pairing: usize) -> Option<usize> {
        self.source_of.get(&pairing).copied()
    }
}

/// Pairs what was deleted with what was added, the most alike first.
pub(super) fn find(old: &[Unit<'_>], new: &[Unit<'_>], words: &Words, pairings: &[Pairing]) -> Moves {
    let places = pairings.iter().enumerate();
    let added: HashMap<usize, usize> = places
        .clone()
        .filter(|(_, own)| own.old.is_empty())
        .map(|(place, own)| (own.new.start, place))
        .collect();
    let by_word = words.by_word(added.keys().copied(), RARE);
    let mut found: Vec<(f64, usize, usize)> = Vec::new();
    for (place, own) in places.filter(|(_, own)| own.new.is_empty()) {
        let from = own.old.start;
        if words.old_count(from) < LEAST_WORDS {
            continue;
        }
        for to in words.candidates(from, &by_word) {
            let alike = words.similarity(from..from + 1, to..to + 1);
            if alike >= ALIKE && old[from].heading == new[to].heading {
                found.push((alike, place, added[&to]));
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut moves = Moves::default();
    for (_, source, target) in found {
        if !moves.target_of.contains_key(&source) && !moves.source_of.contains_key(&target) {
            moves.target_of.insert(source, target);
            moves.source_of.insert(target, source);
        }
    }
    moves
}

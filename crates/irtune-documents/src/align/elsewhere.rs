//! Sentences that stand unchanged at another place.

use super::Pairing;
use super::unit::Unit;
use std::collections::{HashMap, HashSet};
use unicode_segmentation::UnicodeSegmentation;

/// Words that a sentence has at least: shorter ones, such as `See below.`, occur by chance.
const LEAST_WORDS: usize = 4;

/// Sentences that are no anchors, and that the other draft has word for word, no anchor there either: they moved, and belong
/// to nothing else.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    old: HashSet<usize>,
    new: HashSet<usize>,
}

impl Elsewhere {
    /// Of two drafts with their anchors.
    pub fn find(old: &[Unit<'_>], new: &[Unit<'_>], anchors: &[Pairing]) -> Elsewhere {
        let mut is_anchor = (vec![false; old.len()], vec![false; new.len()]);
        for anchor in anchors {
            is_anchor.0[anchor.old.clone()].fill(true);
            is_anchor.1[anchor.new.clone()].fill(true);
        }
        let free = |at: &usize| !is_anchor.1[*at];
        let mut by_text: HashMap<&str, Vec<usize>> = HashMap::new();
        for at in (0..new.len()).filter(free) {
            by_text.entry(new[at].text).or_default().push(at);
        }
        let mut elsewhere = Elsewhere::default();
        for at in (0..old.len()).filter(|at| !is_anchor.0[*at]) {
            if let Some(places) = by_text.get(old[at].text)
                && old[at].text.unicode_words().nth(LEAST_WORDS - 1).is_some()
            {
                elsewhere.old.insert(at);
                elsewhere.new.extend(places);
            }
        }
        elsewhere
    }

    /// Whether one of these sentences stands unchanged at another place.
    pub fn has(&self, mut old: std::ops::Range<usize>, mut new: std::ops::Range<usize>) -> bool {
        old.any(|at| self.old.contains(&at)) || new.any(|at| self.new.contains(&at))
    }
}

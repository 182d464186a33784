//! What changed between two texts: the hunks of a word by word alignment, what kind each is, and counters of them.

mod align;
mod content;
pub(crate) mod counters;
pub(crate) mod hunk;
mod moved;
pub(crate) mod units;

use counters::{COUNTERS, counters};
use hunk::{Hunk, HunkKind};
use units::words;

/// What changed between an original and a revised text.
///
/// # Source
/// The alignment is Myers' (1986), as the `similar` crate has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    original: &'a str,
    revised: &'a str,
    hunks: Vec<Hunk>,
}

impl<'a> Change<'a> {
    /// Aligns two texts word by word. Hunks that only blanks separate are one hunk.
    pub fn of(original: &'a str, revised: &'a str) -> Change<'a> {
        let ranges = align::changed_ranges(original, revised);
        let hunks = ranges.into_iter().map(|(removed, added)| Hunk {
            content: content::of(&original[removed.clone()], &revised[added.clone()]),
            kind: HunkKind::of(&removed, &added),
            removed,
            added,
        });
        let mut hunks: Vec<Hunk> = hunks.collect();
        moved::mark(original, revised, &mut hunks);
        Change { original, revised, hunks }
    }

    /// The original text.
    pub fn original(&self) -> &'a str {
        self.original
    }

    /// The revised text.
    pub fn revised(&self) -> &'a str {
        self.revised
    }

    /// What was changed, in the order of the texts; nothing where they are equal.
    pub fn hunks(&self) -> &[Hunk] {
        &self.hunks
    }

    /// A hunk's text in the original.
    pub fn removed(&self, hunk: &Hunk) -> &'a str {
        &self.original[hunk.removed.clone()]
    }

    /// A hunk's text in the revised text.
    pub fn added(&self, hunk: &Hunk) -> &'a str {
        &self.revised[hunk.added.clone()]
    }

    /// The words of the original that the hunks hold, in order; marks and blanks are no words.
    pub fn removed_words(&self) -> impl Iterator<Item = &'a str> {
        self.hunks.iter().flat_map(|hunk| words(self.removed(hunk)))
    }

    /// The words of the revised text that the hunks hold, in order.
    pub fn added_words(&self) -> impl Iterator<Item = &'a str> {
        self.hunks.iter().flat_map(|hunk| words(self.added(hunk)))
    }

    /// The change in numbers, as [`COUNTERS`] names them: lengths and counts as `ln(1 + count)`, the rest as shares or
    /// differences. Not standardised.
    pub fn counters(&self) -> [f32; COUNTERS.len()] {
        counters(self)
    }
}

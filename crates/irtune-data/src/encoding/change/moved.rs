//! Hunks that take out and put in the same words.

use std::collections::HashMap;

use super::hunk::{Hunk, HunkKind};
use super::units::words;

/// Marks deletions whose words an insertion elsewhere has, whatever their capitals and marks, and these insertions; each
/// hunk has one partner, the first one that is left.
pub(super) fn mark(original: &str, revised: &str, hunks: &mut [Hunk]) {
    let mut inserted: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
    let lower = |text: &str| words(text).map(str::to_lowercase).collect::<Vec<_>>();
    for (index, hunk) in hunks.iter().enumerate().rev().filter(|(_, hunk)| hunk.kind == HunkKind::Inserted) {
        inserted.entry(lower(&revised[hunk.added.clone()])).or_default().push(index);
    }
    for index in 0..hunks.len() {
        if hunks[index].kind != HunkKind::Deleted {
            continue;
        }
        let taken = lower(&original[hunks[index].removed.clone()]);
        let partner = if taken.is_empty() { None } else { inserted.get_mut(&taken).and_then(Vec::pop) };
        if let Some(partner) = partner {
            hunks[index].kind = HunkKind::Moved;
            hunks[partner].kind = HunkKind::Moved;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Change;
    use super::*;

    fn kinds(original: &str, revised: &str) -> Vec<HunkKind> {
        Change::of(original, revised).hunks().iter().map(|hunk| hunk.kind).collect()
    }

    #[test]
    fn words_that_reappear_elsewhere_are_moved() {
        use HunkKind::{Deleted, Inserted, Moved, Replaced};
        assert_eq!(
            kinds("Today we all went to the old house.", "we all went to the old house today."),
            [Moved, Moved]
        );
        assert_eq!(kinds("a b c d e f g", "b c d e f g x"), [Deleted, Inserted]);
        assert_eq!(kinds("a b c", "a x c"), [Replaced]);
        // Marks alone move nowhere.
        assert_eq!(kinds("a, b c d", "a b c, d"), [Deleted, Inserted]);
        // Every insertion has one deletion.
        assert_eq!(kinds("now b c now d e f", "b c d e f now"), [Moved, Deleted, Moved]);
    }
}

//! One changed place, and what kind of change it is.

use std::ops::Range;

/// Neighbouring words that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Bytes of the original text; empty for an insertion.
    pub removed: Range<usize>,
    /// Bytes of the revised text; empty for a deletion.
    pub added: Range<usize>,
    /// What was done.
    pub kind: HunkKind,
    /// To what it was done.
    pub content: HunkContent,
}

/// What was done at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HunkKind {
    /// Text was put in.
    Inserted,
    /// Text was taken out.
    Deleted,
    /// Text took another's place.
    Replaced,
    /// Words were taken out that another hunk puts in, or put in that another takes out.
    Moved,
}

impl HunkKind {
    /// Of a hunk by itself.
    pub(super) fn of(removed: &Range<usize>, added: &Range<usize>) -> HunkKind {
        match (removed.is_empty(), added.is_empty()) {
            (true, _) => HunkKind::Inserted,
            (_, true) => HunkKind::Deleted,
            _ => HunkKind::Replaced,
        }
    }
}

/// What a hunk changes, by the least that says it all: a word that got a capital and a comma is punctuation and case, so
/// it is [`HunkContent::Case`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HunkContent {
    /// Nothing but white space.
    Blanks,
    /// Marks, and perhaps white space.
    Punctuation,
    /// Capitals, and perhaps marks.
    Case,
    /// Words with digits.
    Number,
    /// A few letters of words: a misspelling or an ending.
    Spelling,
    /// Whole words.
    Words,
}

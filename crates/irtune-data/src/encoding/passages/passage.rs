//! A text and which bytes of it changed.

use std::ops::Range;

/// A text, and which of its bytes were removed from the original or added by the revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Passage {
    pub text: String,
    /// Bytes of removed text, in order, without the blanks around it unless it is blank.
    pub removed: Vec<Range<usize>>,
    /// Bytes of added text, likewise.
    pub added: Vec<Range<usize>>,
}

impl Passage {
    /// Appends another.
    pub fn push(&mut self, other: &Passage) {
        let at = self.text.len();
        let moved = |range: &Range<usize>| range.start + at..range.end + at;
        self.removed.extend(other.removed.iter().map(moved));
        self.added.extend(other.added.iter().map(moved));
        self.text.push_str(&other.text);
    }
}

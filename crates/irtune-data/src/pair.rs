//! One revision: a text before and after, and where it was read.

use std::sync::Arc;

/// An original and a revised text, with what the file says about them.
///
/// One of the two texts may be empty: an addition has no original, a deletion no revised text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pair {
    /// The text before the revision.
    pub original: String,
    /// The text after the revision.
    pub revised: String,
    /// The intention, where the row names one.
    pub label: Option<String>,
    /// The document the pair comes from; a split never separates the pairs of one document.
    pub group: Option<String>,
    /// The row's own name.
    pub id: Option<String>,
    /// The file it was read from, as errors name it.
    pub file: Arc<str>,
    /// The line in `file` on which the row starts, counted from 1.
    pub line: usize,
}

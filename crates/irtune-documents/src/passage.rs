//! A stretch of a document.

use std::ops::Range;

/// One or more sentences of a document that follow each other in one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The text.
    pub text: String,
    /// Where it stands in [`Document::text`](crate::Document::text), in characters.
    pub span: Range<usize>,
    /// The number of its block.
    pub block: usize,
    /// The heading that it stands under.
    pub section: Option<String>,
}

//! What a document with tracked changes is made of.

use crate::block::BlockKind;

/// A sentence or several with what changed in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// What its block is.
    pub kind: BlockKind,
    /// The number of its block in the old draft; nothing where it isn't there.
    pub old_block: Option<usize>,
    /// The number of its block in the new draft; nothing where it isn't there.
    pub new_block: Option<usize>,
    /// Its text.
    pub pieces: Vec<Piece<'a>>,
    /// What is said of it.
    pub comment: Option<String>,
}

/// A stretch of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// In both drafts.
    Same(&'a str),
    /// In the old draft only.
    Removed(&'a str),
    /// In the new draft only.
    Added(&'a str),
}

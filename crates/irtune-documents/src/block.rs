//! A piece of a document.

use strum::{Display, EnumString};

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum BlockKind {
    /// The title of what follows.
    Heading,
    /// Running text.
    Paragraph,
    /// An item of a list.
    ListItem,
    /// A paragraph in a cell of a table.
    Cell,
    /// A footnote or an endnote.
    Note,
    /// What stands under a figure or over a table.
    Caption,
}

/// Text that stands together: no sentence goes from one block into the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its text on one line, without markup; never empty.
    pub text: String,
}

impl Block {
    /// A block of a text, its white space made single blanks; nothing where there is no text.
    pub(crate) fn new(kind: BlockKind, text: &str) -> Option<Block> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(Block { kind, text })
    }
}

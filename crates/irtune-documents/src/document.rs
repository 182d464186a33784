//! A draft.

use crate::block::{Block, BlockKind};

/// A draft as blocks of text, in reading order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// The blocks.
    pub blocks: Vec<Block>,
}

/// What stands between two blocks in [`Document::text`].
const BETWEEN: &str = "\n\n";

impl Document {
    pub(crate) fn push(&mut self, kind: BlockKind, text: &str) {
        self.blocks.extend(Block::new(kind, text));
    }

    /// The whole text, an empty line between blocks: what the character offsets of passages count in.
    pub fn text(&self) -> String {
        self.blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>().join(BETWEEN)
    }

    /// Where each block begins in [`text`](Self::text), in characters.
    pub(crate) fn starts(&self) -> Vec<usize> {
        let next = |at: &mut usize, block: &Block| {
            let start = *at;
            *at += block.text.chars().count() + BETWEEN.len();
            Some(start)
        };
        self.blocks.iter().scan(0, next).collect()
    }

    /// The heading that each block stands under, the block itself where it is one.
    pub(crate) fn sections(&self) -> Vec<Option<&str>> {
        let mut sections = Vec::with_capacity(self.blocks.len());
        for block in &self.blocks {
            let own = (block.kind == BlockKind::Heading).then_some(block.text.as_str());
            sections.push(own.or_else(|| sections.last().copied().flatten()));
        }
        sections
    }
}

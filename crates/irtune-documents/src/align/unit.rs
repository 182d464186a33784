//! A sentence of a draft.

use crate::block::{Block, BlockKind};
use crate::document::Document;
use crate::sentences::sentences;
use std::ops::Range;

/// A sentence and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit<'a> {
    /// The number of its block.
    pub block: usize,
    /// Whether that is a heading.
    pub heading: bool,
    /// Where it stands in its block, in bytes.
    pub range: Range<usize>,
    /// Its text.
    pub text: &'a str,
}

/// The sentences of a draft, in order; a heading is one.
pub(super) fn units(document: &Document) -> Vec<Unit<'_>> {
    let of_block = |(block, own): (usize, &'_ Block)| {
        let heading = own.kind == BlockKind::Heading;
        let cut = if heading { None } else { Some(sentences(&own.text)) };
        let ranges = cut.unwrap_or_else(|| std::iter::once(0..own.text.len()).collect());
        ranges.into_iter().map(move |range| (block, heading, range))
    };
    let ranges = document.blocks.iter().enumerate().flat_map(of_block);
    ranges
        .map(|(block, heading, range)| {
            let text = &document.blocks[block].text[range.clone()];
            Unit { block, heading, range, text }
        })
        .collect()
}

//! The header of a GGUF file: its counts, its metadata and its table of tensors.

use std::path::Path;

use irtune_model::weights::gguf::Header;

use super::bytes;
use crate::random::Random;

/// Bytes at the beginning: magic, version and counts.
const COUNTS: usize = 24;

/// Changes one part of the header, seldom the weights.
pub fn change(random: &mut Random, whole: &[u8]) -> Vec<u8> {
    let (table, data) = table(whole);
    let (begin, end) = match random.below(8) {
        0 => (0, COUNTS),
        1..=3 => (COUNTS, table),
        4..=6 => (table, data),
        _ => (0, whole.len()),
    };
    let mut changed = whole.to_vec();
    let mut part = changed.split_off(begin.min(whole.len()));
    bytes::within(random, &mut part, end.saturating_sub(begin));
    changed.extend(part);
    changed
}

/// Where the table of tensors begins and where the weights do.
fn table(whole: &[u8]) -> (usize, usize) {
    let Ok(header) = Header::parse(whole, Path::new("whole.gguf")) else { return (COUNTS, whole.len()) };
    let first = header.tensors.first().map_or("", |tensor| tensor.name).as_bytes();
    let begin = whole.windows(first.len().max(1)).position(|window| window == first);
    (begin.unwrap_or(COUNTS), header.data_start)
}

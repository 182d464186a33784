//! Passes over the summed values of a product's terms: what is packed at once.

use arrayvec::ArrayVec;

use super::{Term, lefts::is_copied, rounded::stretch};
use crate::{
    element::Element,
    integer::{Width, eight},
    level::{Level, level},
    microkernel::TILE,
    pack::{PANEL, panel_length},
    weight::BLOCK,
};

/// Bytes of packed panels that one pass keeps in the second-level cache: processors with AVX-512 have 1 MiB of it or
/// more, others 512 KiB.
fn pass_bytes() -> usize {
    if level() >= Level::Avx512 { 640 * 1024 } else { 320 * 1024 }
}

/// Most summed values of a piece: 12 rows of them stay in the first-level cache.
const PIECE: usize = 640;

/// Most pieces of a pass.
pub(super) const PIECES: usize = 16;

/// A stretch of one term's summed values that is packed at once.
#[derive(Clone, Copy, Default)]
pub(super) struct Piece {
    pub(super) term: usize,
    pub(super) start: usize,
    pub(super) depth: usize,
    /// The integers it is multiplied in.
    pub(super) integers: Option<Width>,
    /// Where it begins in a panel's packed values, or in the bytes of its integers.
    pub(super) place: usize,
    /// Where its scales begin among those of the pass: a line of 32 for each stretch.
    pub(super) line: usize,
}

impl Piece {
    /// Summed values padded to whole groups of its integers.
    pub(super) fn padded(&self) -> usize {
        self.depth.next_multiple_of(self.integers.map_or(1, Width::group))
    }

    /// Stretches of summed values that have a scale each.
    pub(super) fn stretches(&self) -> usize {
        match self.integers {
            None => 0,
            Some(Width::Sixteen) => 1,
            Some(Width::Eight) => self.depth.div_ceil(eight::STRETCH),
        }
    }

    /// The distance between rows of its left side where that is copied: rows don't begin at the same lines of a cache.
    pub(super) fn copied_stride(&self) -> usize {
        self.depth + PANEL
    }

    /// Bytes of a panel in integers.
    pub(super) fn panel_bytes(&self) -> usize {
        self.padded() * PANEL * self.integers.map_or(0, Width::bytes)
    }
}

/// Bytes that a summed value of a term takes in a packed panel.
fn packed_bytes<E, P>(term: &Term<E>) -> usize {
    PANEL * term.integers.map_or(size_of::<P>(), Width::bytes)
}

/// So many summed values cut in parts of about `most`, as even as blocks allow: the values of a part.
pub(super) fn even(summed: usize, most: usize) -> usize {
    summed.div_ceil(summed.div_ceil(most).max(1)).next_multiple_of(BLOCK)
}

/// Calls `visit` for the pieces of each pass over the summed values, passes being as even as blocks allow.
pub(super) fn passes<E: Element, P: Element>(
    terms: &[Term<E>],
    panels: usize,
    mut visit: impl FnMut(&[Piece], bool, bool),
) {
    let total: usize = terms.iter().map(|term| term.summed() * packed_bytes::<E, P>(term)).sum();
    let limit = total.div_ceil((total * panels).div_ceil(pass_bytes()).max(1));
    let mut pieces = ArrayVec::<Piece, PIECES>::new();
    let (mut filled, mut first) = (0, true);
    let (mut values, mut integers, mut line) = (0, 0, 0);
    for (index, term) in terms.iter().enumerate() {
        let bytes = packed_bytes::<E, P>(term);
        let mut start = 0;
        while start < term.summed() {
            if filled >= limit || pieces.is_full() {
                visit(&pieces, first, false);
                pieces.clear();
                (filled, first, values, integers, line) = (0, false, 0, 0, 0);
            }
            let room = (limit - filled).div_ceil(bytes).next_multiple_of(BLOCK);
            let most = match term.integers {
                None => room.min(even(term.summed(), PIECE)),
                Some(Width::Sixteen) => stretch(term.summed()),
                Some(Width::Eight) => room.next_multiple_of(eight::STRETCH),
            };
            let depth = (term.summed() - start).min(most);
            let place = if term.integers.is_some() { integers } else { values };
            let piece = Piece { term: index, start, depth, integers: term.integers, place, line };
            if term.integers.is_some() {
                (integers, line) = (integers + piece.panel_bytes(), line + piece.stretches());
            } else {
                values += panel_length::<P>(depth);
            }
            pieces.push(piece);
            (filled, start) = (filled + depth * bytes, start + depth);
        }
    }
    visit(&pieces, first, true);
}

/// What the packed pieces of a pass need for one panel, and one piece's left side for a block of rows.
#[derive(Clone, Copy, Default)]
pub(super) struct Room {
    pub(super) values: usize,
    /// Bytes of integers.
    pub(super) integers: usize,
    /// Lines of scales.
    pub(super) lines: usize,
    /// Summed values of the longest piece in integers.
    pub(super) longest: usize,
    pub(super) copied: usize,
}

impl Room {
    pub(super) fn of<E: Element, P: Element>(terms: &[Term<E>], pieces: &[Piece]) -> Self {
        let mut room = Self::default();
        for piece in pieces {
            if piece.integers.is_some() {
                room.integers += piece.panel_bytes();
                room.lines += piece.stretches();
                room.longest = room.longest.max(piece.depth);
            } else {
                room.values += panel_length::<P>(piece.depth);
                if is_copied::<E, P>(&terms[piece.term]) {
                    room.copied = room.copied.max(piece.copied_stride() * TILE);
                }
            }
        }
        room
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self {
            values: self.values.max(other.values),
            integers: self.integers.max(other.integers),
            lines: self.lines.max(other.lines),
            longest: self.longest.max(other.longest),
            copied: self.copied.max(other.copied),
        }
    }
}

//! Blocks of K: how much of B is packed at once.
//!
//! A task packs its panels over one K block, multiplies all of its rows of A by them, and goes on to the next block with
//! the sums kept in memory. A block is as deep as the second-level cache allows. It consists of slices, each of one
//! term's K: a block may end within one term and hold several others whole.

use arrayvec::ArrayVec;
use irtune_device::weight::BLOCK;

use super::{
    cut::{even_part, int16_group},
    integer::{Integers, int8},
    term::Term,
    tile::{MR, NR, panel_length},
};
use crate::simd::{
    element::Element,
    level::{Level, level},
};

/// Bytes of packed panels of one block. Processors with AVX-512 have 1 MiB of second-level cache or more, others 512 KiB.
fn block_bytes() -> usize {
    if level() >= Level::Avx512 { 640 * 1024 } else { 320 * 1024 }
}

/// Most values of K in a slice: 12 rows of A with so many stay in the first-level cache.
const MOST_DEPTH: usize = 640;

/// Most slices of a block.
const MOST_SLICES: usize = 16;

/// A range of one term's K that is packed at once.
#[derive(Clone, Copy, Default)]
pub(super) struct KSlice {
    /// Number of the term.
    pub(super) term: usize,
    /// First value of K.
    pub(super) start: usize,
    /// Values of K.
    pub(super) depth: usize,
    /// The integers it is multiplied in.
    pub(super) integers: Option<Integers>,
    /// Where it begins in a panel's packed values, or in the bytes of its integers.
    pub(super) offset: usize,
    /// Number of its first quantisation group among those of the block.
    pub(super) group: usize,
}

impl KSlice {
    /// Values of K, padded to whole packs of its integers.
    pub(super) fn padded(&self) -> usize {
        self.depth.next_multiple_of(self.integers.map_or(1, Integers::k_pack))
    }

    /// Quantisation groups.
    pub(super) fn groups(&self) -> usize {
        match self.integers {
            None => 0,
            Some(Integers::Int16) => 1,
            Some(Integers::Int8) => self.depth.div_ceil(int8::GROUP),
        }
    }

    /// Values from row to row of A where it is copied: so that rows don't begin at the same lines of a cache.
    pub(super) fn copied_stride(&self) -> usize {
        self.depth + NR
    }

    /// Bytes of a panel in integers.
    pub(super) fn panel_bytes(&self) -> usize {
        self.padded() * NR * self.integers.map_or(0, Integers::bytes)
    }
}

/// Bytes of a packed panel for one value of a term's K.
fn packed_bytes<E, P>(term: &Term<E>) -> usize {
    NR * term.integers.map_or(size_of::<P>(), Integers::bytes)
}

/// Calls `visit` with the slices of each K block, and whether it is the first and the last. Blocks are as even as the
/// weights' own blocks allow.
pub(super) fn k_blocks<E: Element, P: Element>(
    terms: &[Term<E>],
    panels: usize,
    mut visit: impl FnMut(&[KSlice], bool, bool),
) {
    let total: usize = terms.iter().map(|term| term.k() * packed_bytes::<E, P>(term)).sum();
    let limit = total.div_ceil((total * panels).div_ceil(block_bytes()).max(1));
    let mut slices = ArrayVec::<KSlice, MOST_SLICES>::new();
    let (mut filled, mut first) = (0, true);
    let (mut values, mut integers, mut group) = (0, 0, 0);
    for (index, term) in terms.iter().enumerate() {
        let bytes = packed_bytes::<E, P>(term);
        let mut start = 0;
        while start < term.k() {
            if filled >= limit || slices.is_full() {
                visit(&slices, first, false);
                slices.clear();
                (filled, first, values, integers, group) = (0, false, 0, 0, 0);
            }
            let room = (limit - filled).div_ceil(bytes).next_multiple_of(BLOCK);
            let most = match term.integers {
                None => room.min(even_part(term.k(), MOST_DEPTH)),
                Some(Integers::Int16) => int16_group(term.k()),
                Some(Integers::Int8) => room.next_multiple_of(int8::GROUP),
            };
            let depth = (term.k() - start).min(most);
            let offset = if term.integers.is_some() { integers } else { values };
            let slice = KSlice { term: index, start, depth, integers: term.integers, offset, group };
            if term.integers.is_some() {
                (integers, group) = (integers + slice.panel_bytes(), group + slice.groups());
            } else {
                values += panel_length::<P>(depth);
            }
            slices.push(slice);
            (filled, start) = (filled + depth * bytes, start + depth);
        }
    }
    visit(&slices, first, true);
}

/// Bytes after which addresses come to the same lines of the first-level cache again.
const CACHE_WAY_BYTES: usize = 4096;

/// Whether a term's A is copied, 12 rows at a time.
///
/// It is where operands are widened, and where all rows would begin at the same lines of the first-level cache: that
/// holds 8 of such lines, and a block has 12 rows.
pub(super) fn is_copied<E: Element, P: Element>(term: &Term<E>) -> bool {
    E::K_PACK != P::K_PACK || (term.a.stride * size_of::<E>()).is_multiple_of(CACHE_WAY_BYTES)
}

/// Working memory that a K block takes.
#[derive(Clone, Copy, Default)]
pub(super) struct BlockSize {
    /// Packed values of a panel.
    pub(super) values: usize,
    /// Bytes of a panel's integers.
    pub(super) integers: usize,
    /// Quantisation groups.
    pub(super) groups: usize,
    /// Depth of the longest slice in integers, which is unpacked in f32 before.
    pub(super) unpacked: usize,
    /// Values of the largest copy of A, 12 rows of a slice.
    pub(super) copied: usize,
}

impl BlockSize {
    /// What these slices take.
    pub(super) fn of<E: Element, P: Element>(terms: &[Term<E>], slices: &[KSlice]) -> Self {
        let mut size = Self::default();
        for slice in slices {
            if slice.integers.is_some() {
                size.integers += slice.panel_bytes();
                size.groups += slice.groups();
                size.unpacked = size.unpacked.max(slice.depth);
            } else {
                size.values += panel_length::<P>(slice.depth);
                if is_copied::<E, P>(&terms[slice.term]) {
                    size.copied = size.copied.max(slice.copied_stride() * MR);
                }
            }
        }
        size
    }

    /// What is enough for either.
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            values: self.values.max(other.values),
            integers: self.integers.max(other.integers),
            groups: self.groups.max(other.groups),
            unpacked: self.unpacked.max(other.unpacked),
            copied: self.copied.max(other.copied),
        }
    }
}

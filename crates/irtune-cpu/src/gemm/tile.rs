//! The tile of sums that the microkernel keeps in registers, and the panel of B that it reads.

use crate::simd::element::{Element, LANES};

/// Rows of a tile: 12 × 32 sums take 24 of AVX-512's 32 registers.
pub(crate) const MR: usize = 12;

/// Columns of a tile, and of a packed panel of B.
pub(crate) const NR: usize = LANES;

/// Sums of one tile, `[MR, NR]`.
pub(crate) type Tile = [[f32; NR]; MR];

/// A tile whose rows don't straddle cache lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct AlignedTile(pub(crate) Tile);

impl AlignedTile {
    pub(crate) const ZERO: Self = Self([[0.0; NR]; MR]);
}

/// What a tile's sums start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accumulate {
    /// From zero: what the tile holds is stale.
    FromZero,
    /// From what the tile holds.
    Onto,
}

impl Accumulate {
    /// Makes the tile hold what the sums start from.
    #[inline]
    pub(crate) fn prepare(self, tile: &mut [[f32; NR]]) {
        if self == Accumulate::FromZero {
            tile.fill([0.0; NR]);
        }
    }
}

/// Values of a packed panel over `depth` values of K, which is padded to whole [`Element::K_PACK`]s.
pub(crate) const fn panel_length<E: Element>(depth: usize) -> usize {
    depth.next_multiple_of(E::K_PACK) * NR
}

/// Panels of a matrix with so many columns.
pub(crate) const fn panels(columns: usize) -> usize {
    columns.div_ceil(NR)
}

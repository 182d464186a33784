//! 32 rows of 64 bytes that become 16 lines of a panel.

use crate::{
    gemm::tile::NR,
    simd::transpose::{SQUARE, transpose_square},
};

/// Words of four bytes in a row: 32 bf16, or 64 integers of 8 bits.
pub(crate) const WORDS: usize = 16;

/// One row for each column of a panel, before they are transposed.
#[repr(C, align(64))]
pub(crate) struct WordRows(pub(crate) [[u32; WORDS]; NR]);

impl WordRows {
    pub(crate) const ZERO: Self = Self([[0; WORDS]; NR]);

    /// Writes the rows as lines of 32 words, as many of the first as `panel` has room for.
    #[inline(always)]
    pub(crate) fn transpose(&self, panel: &mut [u32]) {
        let mut lines = [0; WORDS * NR];
        let out = if panel.len() == lines.len() { &mut *panel } else { &mut lines };
        for column in (0..NR).step_by(SQUARE) {
            transpose_square(&self.0.as_flattened()[column * WORDS..], WORDS, &mut out[column..], NR);
        }
        if panel.len() < lines.len() {
            let length = panel.len();
            panel.copy_from_slice(&lines[..length]);
        }
    }
}

//! A dropout mask, and how it is laid over a tile.

use super::tile::{MR, NR, Tile};
use crate::simd::vectorised;

/// Columns of a mask's word: as many as a tile has.
pub(crate) const WORD_COLUMNS: usize = NR;

const _: () = assert!(WORD_COLUMNS == u32::BITS as usize);

/// Which values are kept, `[rows, columns]`: one bit each, a word for 32 columns. Kept values are multiplied by `scale`.
#[derive(Clone, Copy, Debug)]
pub struct Mask<'a> {
    /// `[rows, words_a_row]`
    pub words: &'a [u32],
    /// `columns / 32`, rounded up.
    pub words_a_row: usize,
    /// `1 / (1 − p)`
    pub scale: f32,
}

impl Mask<'_> {
    pub(crate) fn check(&self, rows: usize, columns: usize) {
        assert_eq!(self.words_a_row, columns.div_ceil(WORD_COLUMNS), "words of a mask's row");
        assert!(self.words.len() >= rows * self.words_a_row, "mask of {} words", self.words.len());
    }

    /// `tile += mask ∘ masked · scale` in the first `count` rows, for the tile at `row`, `column`.
    pub(super) fn add(&self, masked: &Tile, tile: &mut Tile, count: usize, row: usize, column: usize) {
        debug_assert!(count <= MR);
        let words: [u32; MR] = std::array::from_fn(|index| {
            if index < count {
                self.words[(row + index) * self.words_a_row + column / WORD_COLUMNS]
            } else {
                0
            }
        });
        add_masked(masked, tile, &words, self.scale);
    }
}

vectorised! {
    fn add_masked(masked: &Tile, tile: &mut Tile, words: &[u32; MR], scale: f32) {
        for ((sums, masked), &word) in tile.iter_mut().zip(masked).zip(words) {
            for (column, (sum, masked)) in sums.iter_mut().zip(masked).enumerate() {
                *sum += if word >> column & 1 == 1 { masked * scale } else { 0.0 };
            }
        }
    }
}

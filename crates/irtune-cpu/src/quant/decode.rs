//! Rows of a weight as f32.

use irtune_device::{WeightView, weight::BLOCK};

use crate::simd::vectorised;

/// Decodes row `row` of a weight into `out`, `[columns]`.
///
/// It gives the values of [`WeightView::decode_row`], and is compiled for every instruction set.
pub fn decode_row(weight: &WeightView, row: usize, out: &mut [f32]) {
    decode(weight, row, out);
}

vectorised! {
    fn decode(weight: &WeightView, row: usize, out: &mut [f32]) {
        let row_bytes = weight.row_bytes();
        for (index, chunk) in out.chunks_mut(BLOCK).enumerate() {
            let mut values = [0.0; BLOCK];
            weight.decode_chunk(row, row_bytes, index, chunk.len(), &mut values);
            chunk.copy_from_slice(&values[..chunk.len()]);
        }
    }
}

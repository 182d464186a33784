//! Rows of a weight as f32.

use irtune_device::{
    Format, WeightView,
    weight::{BLOCK, decode_chunk},
};

use crate::simd::vectorised;

/// Decodes row `row` of a weight into `out`, `[columns]`.
///
/// It gives the values of [`WeightView::decode_row`], and is compiled for every instruction set.
pub fn decode_row(weight: &WeightView, row: usize, out: &mut [f32]) {
    if weight.transposed {
        return weight.decode_row(row, out);
    }
    decode(weight.format, weight.row(row, weight.row_bytes()), out);
}

vectorised! {
    fn decode(format: Format, bytes: &[u8], out: &mut [f32]) {
        for (index, chunk) in out.chunks_mut(BLOCK).enumerate() {
            let mut values = [0.0; BLOCK];
            decode_chunk(format, bytes, index, chunk.len(), &mut values);
            chunk.copy_from_slice(&values[..chunk.len()]);
        }
    }
}

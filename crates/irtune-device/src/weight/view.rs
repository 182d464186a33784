//! A matrix borrowed in its own format.

use bytemuck::{Pod, cast_slice};
use half::bf16;

use super::{BLOCK, Format, Scales, decode_chunk, scales::decode_scaled};

/// A matrix `[rows, columns]` (a linear map from `columns` inputs to `rows` outputs), borrowed in its own format.
#[derive(Clone, Copy, Debug)]
pub struct WeightView<'a> {
    /// Storage of the values.
    pub format: Format,
    /// Outputs of the linear map.
    pub rows: usize,
    /// Inputs of the linear map.
    pub columns: usize,
    /// `rows` times `format.row_bytes(columns)` bytes.
    pub bytes: &'a [u8],
    /// Rows of each head of this size are stored in interleaved-rotary order (Llama's q and k in GGUF files);
    /// they are read in transformers' order all the same.
    pub interleaved_head: Option<usize>,
    /// What the bytes are multiplied by, where the format has its scales elsewhere.
    pub scales: Option<&'a Scales>,
}

/// A number that a matrix in memory can consist of.
pub trait Stored: Pod {
    /// How such numbers are stored.
    const FORMAT: Format;
}

impl Stored for f32 {
    const FORMAT: Format = Format::F32;
}

impl Stored for bf16 {
    const FORMAT: Format = Format::Bf16;
}

impl<'a> WeightView<'a> {
    /// A matrix in memory, `[rows, columns]`; longer data is cut.
    pub fn of<T: Stored>(data: &'a [T], rows: usize, columns: usize) -> Self {
        let bytes = cast_slice(&data[..rows * columns]);
        Self { format: T::FORMAT, rows, columns, bytes, interleaved_head: None, scales: None }
    }

    /// Where row `row` (in transformers' order) is stored.
    #[inline(always)]
    pub fn stored_row(&self, row: usize) -> usize {
        match self.interleaved_head {
            None => row,
            Some(size) => {
                let (head, inner) = (row / size, row % size);
                head * size + (inner % (size / 2)) * 2 + inner / (size / 2)
            }
        }
    }

    /// Bytes of row `row`, in transformers' order.
    #[inline(always)]
    pub fn row(&self, row: usize, row_bytes: usize) -> &'a [u8] {
        &self.bytes[self.stored_row(row) * row_bytes..][..row_bytes]
    }

    /// Bytes of a row.
    ///
    /// # Panics
    /// When the columns don't fill whole blocks of the format.
    pub fn row_bytes(&self) -> usize {
        self.format.row_bytes(self.columns).expect("a weight's columns fill its blocks")
    }

    /// Decodes the `index`-th 32 values of row `row`, in transformers' order (fewer, `length`, at the end of a row).
    ///
    /// `row_bytes` is [`WeightView::row_bytes`].
    #[inline(always)]
    pub fn decode_chunk(
        &self,
        row: usize,
        row_bytes: usize,
        index: usize,
        length: usize,
        out: &mut [f32; BLOCK],
    ) {
        let bytes = self.row(row, row_bytes);
        match self.scales {
            None => decode_chunk(self.format, bytes, index, length, out),
            Some(scales) => {
                let place = (self.stored_row(row), self.columns);
                decode_scaled(scales, bytes, place, (index * BLOCK, length), out);
            }
        }
    }

    /// Decodes row `row` into `out`, `[columns]`.
    pub fn decode_row(&self, row: usize, out: &mut [f32]) {
        let row_bytes = self.row_bytes();
        for (index, chunk) in out.chunks_mut(BLOCK).enumerate() {
            let mut values = [0.0; BLOCK];
            self.decode_chunk(row, row_bytes, index, chunk.len(), &mut values);
            chunk.copy_from_slice(&values[..chunk.len()]);
        }
    }

    /// Squares of the rows' L2 norms, summed in f64; `out`: `[rows]`.
    pub fn row_squares(&self, out: &mut [f32]) {
        let mut row = vec![0.0; self.columns];
        for (index, out) in out.iter_mut().enumerate() {
            self.decode_row(index, &mut row);
            *out = row.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>() as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_rows_are_read_in_transformers_order() {
        // One head of 4: stored rows are (half 0, pair 0), (half 1, pair 0), (half 0, pair 1), (half 1, pair 1).
        let data = [0.0f32, 2.0, 1.0, 3.0];
        let weight = WeightView { interleaved_head: Some(4), ..WeightView::of(&data, 4, 1) };
        for row in 0..4 {
            let mut out = [0.0];
            weight.decode_row(row, &mut out);
            assert_eq!(out[0], row as f32);
        }
    }
}

//! Matrices in the formats of model files, decoded where they are used.

use bytemuck::cast_slice;
use half::bf16;

use crate::simd::{element::Element, vectorised};

/// How the values of a row are stored.
///
/// # Source
/// The quantised ones are GGML's: blocks of 32 neighbours along a row, scales in f16 (ggml `ggml-quants.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(non_camel_case_types, missing_docs)]
pub enum Format {
    F32,
    F16,
    Bf16,
    /// 34 bytes a block: scale d, 32 signed bytes q; value d·q.
    Q8_0,
    /// 18 bytes a block: scale d, 16 bytes of nibbles q; value d·(q − 8).
    Q4_0,
    /// 20 bytes a block: scale d, minimum m, 16 bytes of nibbles q; value d·q + m.
    Q4_1,
}

/// Values in a quantised block, and in the chunks that every format is decoded by.
pub const BLOCK: usize = 32;

impl Format {
    /// Bytes of a row of `columns` values, or `None` when they don't fill whole blocks.
    pub fn row_bytes(self, columns: usize) -> Option<usize> {
        match self {
            Format::F32 => columns.checked_mul(4),
            Format::F16 | Format::Bf16 => columns.checked_mul(2),
            _ if !columns.is_multiple_of(BLOCK) => None,
            Format::Q8_0 => (columns / BLOCK).checked_mul(34),
            Format::Q4_0 => (columns / BLOCK).checked_mul(18),
            Format::Q4_1 => (columns / BLOCK).checked_mul(20),
        }
    }

    /// The format's usual name.
    pub fn name(self) -> &'static str {
        match self {
            Format::F32 => "F32",
            Format::F16 => "F16",
            Format::Bf16 => "BF16",
            Format::Q8_0 => "Q8_0",
            Format::Q4_0 => "Q4_0",
            Format::Q4_1 => "Q4_1",
        }
    }
}

/// A matrix `[rows, columns]` (a linear map from `columns` inputs to `rows` outputs), borrowed in its own format.
#[derive(Clone, Copy, Debug)]
pub struct Weight<'a> {
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
}

impl<'a> Weight<'a> {
    /// A matrix in memory as the weight side of a product.
    pub fn of<E: Element>(data: &'a [E], rows: usize, columns: usize) -> Self {
        let bytes = cast_slice(&data[..rows * columns]);
        Self { format: E::FORMAT, rows, columns, bytes, interleaved_head: None }
    }

    /// Where row `row` (in transformers' order) is stored.
    #[inline(always)]
    pub(crate) fn stored_row(&self, row: usize) -> usize {
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
    pub(crate) fn row(&self, row: usize, row_bytes: usize) -> &'a [u8] {
        &self.bytes[self.stored_row(row) * row_bytes..][..row_bytes]
    }

    pub(crate) fn row_bytes(&self) -> usize {
        self.format.row_bytes(self.columns).expect("a weight's columns fill its blocks")
    }

    /// Decodes row `row` into `out`, `[columns]`.
    pub fn decode_row(&self, row: usize, out: &mut [f32]) {
        decode(self.format, self.row(row, self.row_bytes()), out);
    }
}

vectorised! {
    /// Decodes one row's bytes.
    fn decode(format: Format, bytes: &[u8], out: &mut [f32]) {
        for (index, chunk) in out.chunks_mut(BLOCK).enumerate() {
            let mut values = [0.0; BLOCK];
            decode_chunk(format, bytes, index, chunk.len(), &mut values);
            chunk.copy_from_slice(&values[..chunk.len()]);
        }
    }
}

#[inline(always)]
fn f16_to_f32(bits: u16) -> f32 {
    // Shift exponent and mantissa into place and rescale: exact for normal and subnormal values alike; an
    // all-ones exponent (infinity, NaN) lands below f32's and is lifted to it.
    let bits = u32::from(bits);
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits(0x7780_0000);
    let special = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(magnitude.to_bits() | special | ((bits & 0x8000) << 16))
}

/// Decodes the `index`-th 32 values of a row (fewer, `length`, at the end of an unquantised one).
#[inline(always)]
pub(crate) fn decode_chunk(format: Format, row: &[u8], index: usize, length: usize, out: &mut [f32; BLOCK]) {
    match format {
        Format::F32 => {
            for (value, bytes) in out.iter_mut().zip(row[index * BLOCK * 4..][..length * 4].chunks_exact(4)) {
                *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        }
        Format::F16 => {
            for (value, bytes) in out.iter_mut().zip(row[index * BLOCK * 2..][..length * 2].chunks_exact(2)) {
                *value = f16_to_f32(u16::from_le_bytes([bytes[0], bytes[1]]));
            }
        }
        Format::Bf16 => {
            for (value, bytes) in out.iter_mut().zip(row[index * BLOCK * 2..][..length * 2].chunks_exact(2)) {
                *value = bf16::from_bits(u16::from_le_bytes([bytes[0], bytes[1]])).to_f32();
            }
        }
        Format::Q8_0 => {
            let block: &[u8; 34] = row[index * 34..][..34].try_into().expect("34 bytes");
            let scale = f16_to_f32(u16::from_le_bytes([block[0], block[1]]));
            for (value, &byte) in out.iter_mut().zip(&block[2..]) {
                *value = scale * f32::from(byte as i8);
            }
        }
        Format::Q4_0 => {
            let block: &[u8; 18] = row[index * 18..][..18].try_into().expect("18 bytes");
            let scale = f16_to_f32(u16::from_le_bytes([block[0], block[1]]));
            for position in 0..16 {
                let byte = block[2 + position];
                out[position] = scale * (f32::from(byte & 15) - 8.0);
                out[position + 16] = scale * (f32::from(byte >> 4) - 8.0);
            }
        }
        Format::Q4_1 => {
            let block: &[u8; 20] = row[index * 20..][..20].try_into().expect("20 bytes");
            let scale = f16_to_f32(u16::from_le_bytes([block[0], block[1]]));
            let minimum = f16_to_f32(u16::from_le_bytes([block[2], block[3]]));
            for position in 0..16 {
                let byte = block[4 + position];
                out[position] = scale * f32::from(byte & 15) + minimum;
                out[position + 16] = scale * f32::from(byte >> 4) + minimum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_f16_decodes_as_the_half_crate_does() {
        for bits in 0..=u16::MAX {
            let (ours, theirs) = (f16_to_f32(bits), half::f16::from_bits(bits).to_f32());
            assert!(ours == theirs || (ours.is_nan() && theirs.is_nan()), "{bits:#x}: {ours} {theirs}");
        }
    }

    #[test]
    fn interleaved_rows_are_read_in_transformers_order() {
        // One head of 4: stored rows are (half 0, pair 0), (half 1, pair 0), (half 0, pair 1), (half 1, pair 1).
        let data = [0.0f32, 2.0, 1.0, 3.0];
        let weight = Weight { interleaved_head: Some(4), ..Weight::of(&data, 4, 1) };
        for row in 0..4 {
            let mut out = [0.0];
            weight.decode_row(row, &mut out);
            assert_eq!(out[0], row as f32);
        }
    }

    #[test]
    fn rows_of_a_quantised_format_fill_whole_blocks() {
        assert_eq!(Format::Q4_1.row_bytes(64), Some(40));
        assert_eq!(Format::Q8_0.row_bytes(33), None);
        assert_eq!(Format::F16.row_bytes(33), Some(66));
    }
}

//! Scales that lie beside a matrix, in tensors of their own.

use std::{ops::Range, sync::Arc};

use half::{bf16, f16};

use super::{BLOCK, Format};
use crate::MappedFile;

/// What a format's bytes are multiplied by, where the file holds it elsewhere.
#[derive(Clone, Debug)]
pub enum Scales {
    /// Of [`Format::F8_E4M3`].
    Grid(ScaleGrid),
    /// Of [`Format::Nf4`].
    Blocks(ScaledBlocks),
}

/// A scale for every rectangle of a matrix: one for all of it, one for a row, or one for a block of rows and columns.
#[derive(Clone, Debug)]
pub struct ScaleGrid {
    /// Row by row of the grid.
    pub values: Vec<f32>,
    /// Rows and columns of the matrix that share a scale; the columns a multiple of [`BLOCK`], or all of them.
    pub shared: (usize, usize),
    /// Scales in a row of the grid.
    pub columns: usize,
}

/// Codes of four bits that stand for numbers in a table, with a scale for every 64 of them.
///
/// # Source
/// Dettmers et al., "QLoRA", 2023: 4-bit NormalFloat and double quantisation, as bitsandbytes stores them.
#[derive(Clone, Debug)]
pub struct ScaledBlocks {
    /// The numbers.
    pub table: [f32; 16],
    /// The scales.
    pub scales: BlockScales,
    /// What decoded values are rounded to.
    pub rounded_to: Format,
}

/// The scales of [`ScaledBlocks`], in the order of the values.
#[derive(Clone, Debug)]
pub enum BlockScales {
    /// As they are.
    Plain(Vec<f32>),
    /// Bytes that stand for numbers in a table, with a scale for every 256 of them and a number that is added to all.
    Nested {
        /// One for each block, in the mapped file.
        codes: MappedBytes,
        /// The numbers.
        table: Box<[f32; 256]>,
        /// One for every 256 codes.
        scales: Vec<f32>,
        /// Added to all.
        offset: f32,
    },
}

/// Bytes of a mapped file.
#[derive(Clone, Debug)]
pub struct MappedBytes {
    /// The file.
    pub file: Arc<MappedFile>,
    /// Which of its bytes.
    pub range: Range<usize>,
}

impl MappedBytes {
    #[inline(always)]
    fn as_slice(&self) -> &[u8] {
        &self.file[self.range.clone()]
    }
}

/// Values of a block of four-bit codes.
pub const SCALED_BLOCK: usize = 64;

/// Codes of nested scales that share a scale.
const NESTED_BLOCK: usize = 256;

impl BlockScales {
    /// The scale of a block.
    #[inline(always)]
    fn get(&self, block: usize) -> f32 {
        match self {
            BlockScales::Plain(scales) => scales[block],
            BlockScales::Nested { codes, table, scales, offset } => {
                table[usize::from(codes.as_slice()[block])] * scales[block / NESTED_BLOCK] + offset
            }
        }
    }

    /// Whether there are as many scales as so many blocks need.
    pub fn fit(&self, blocks: usize) -> bool {
        match self {
            BlockScales::Plain(scales) => scales.len() == blocks,
            BlockScales::Nested { codes, scales, .. } => {
                codes.as_slice().len() == blocks && scales.len() == blocks.div_ceil(NESTED_BLOCK)
            }
        }
    }
}

impl ScaleGrid {
    /// Whether the grid covers a matrix of this shape, and no chunk of it has two scales.
    pub fn fits(&self, (rows, columns): (usize, usize)) -> bool {
        let (shared_rows, shared_columns) = self.shared;
        shared_rows > 0
            && shared_columns > 0
            && (shared_columns >= columns || shared_columns.is_multiple_of(BLOCK))
            && self.columns == columns.div_ceil(shared_columns)
            && self.values.len() == rows.div_ceil(shared_rows) * self.columns
    }
}

/// An eight-bit float with four bits of exponent and three of mantissa; it has no infinities.
#[inline(always)]
fn f8_e4m3(byte: u8) -> f32 {
    let magnitude = u32::from(byte & 0x7f);
    // Exponent and mantissa in f32's places, and the exponents' biases of 7 and 127 made even.
    let value = f32::from_bits(magnitude << 20) * f32::from_bits((127 + 120) << 23);
    let value = if magnitude == 0x7f { f32::NAN } else { value };
    f32::from_bits(value.to_bits() | u32::from(byte & 0x80) << 24)
}

/// Decodes the chunk of 32 values (fewer, `length`, at the end of a row) from `column` on of the `row`-th stored row.
///
/// `bytes` are the row's, `columns` its values.
#[inline(always)]
pub(super) fn decode_scaled(
    scales: &Scales,
    bytes: &[u8],
    (row, columns): (usize, usize),
    (column, length): (usize, usize),
    out: &mut [f32; BLOCK],
) {
    match scales {
        Scales::Grid(grid) => {
            let scale = grid.values[row / grid.shared.0 * grid.columns + column / grid.shared.1];
            for (value, &byte) in out.iter_mut().zip(&bytes[column..][..length]) {
                *value = f8_e4m3(byte) * scale;
            }
        }
        Scales::Blocks(blocks) => {
            let scale = blocks.scales.get((row * columns + column) / SCALED_BLOCK);
            let table = blocks.table.map(|number| match blocks.rounded_to {
                Format::Bf16 => bf16::from_f32(number * scale).to_f32(),
                Format::F16 => f16::from_f32(number * scale).to_f32(),
                _ => number * scale,
            });
            // The first value of two has the upper four bits.
            for (pair, &byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(&bytes[column / 2..][..length / 2])
            {
                *pair = [table[usize::from(byte >> 4)], table[usize::from(byte & 15)]];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bit_floats_are_their_definition() {
        for byte in 0..=255u8 {
            let (exponent, mantissa) = (i32::from(byte >> 3 & 15), f64::from(byte & 7));
            let magnitude = match exponent {
                0 => mantissa / 8.0 * 2f64.powi(-6),
                _ => (1.0 + mantissa / 8.0) * 2f64.powi(exponent - 7),
            };
            let expected = if byte & 0x80 == 0 { magnitude } else { -magnitude };
            let found = f8_e4m3(byte);
            if byte & 0x7f == 0x7f {
                assert!(found.is_nan());
            } else {
                assert_eq!(f64::from(found), expected, "{byte:#x}");
                assert_eq!(found.is_sign_negative(), byte & 0x80 != 0);
            }
        }
    }
}

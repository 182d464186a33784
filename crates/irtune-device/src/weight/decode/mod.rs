//! Values of a format as f32.
//!
//! # Source
//! ggml's `dequantize_row_*` (`ggml-quants.c`), and the Python package `gguf`, which gives the same bits.

mod blocks;
mod super_blocks;

use half::bf16;

use super::Format;

/// Values in the chunks that every format is decoded by: a quantised block, or a part of one.
pub const BLOCK: usize = 32;

/// The numbers that the codes of IQ4_NL and IQ4_XS stand for, before they are scaled.
pub const IQ4_NUMBERS: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// The numbers that the codes of MXFP4 stand for, doubled: a sign, two bits of exponent, one of mantissa.
pub const MXFP4_NUMBERS: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// Half of the power of two that a block of MXFP4 is scaled by, since its numbers are doubled.
#[inline(always)]
pub fn mxfp4_scale(exponent: u8) -> f32 {
    let exponent = u32::from(exponent);
    // The two smallest are below the normal numbers.
    f32::from_bits(if exponent < 2 { 0x0020_0000 << exponent } else { (exponent - 1) << 23 })
}

/// Scale and minimum of a chunk of Q4_K or Q5_K, six bits each. Those of the last four chunks have their upper two bits
/// beside the first four's.
#[inline(always)]
pub fn six_bit_pair(packed: &[u8; 12], chunk: usize) -> [u8; 2] {
    if chunk < 4 {
        [packed[chunk] & 63, packed[chunk + 4] & 63]
    } else {
        let both = packed[chunk + 4];
        [both & 15 | packed[chunk - 4] >> 6 << 4, both >> 4 | packed[chunk] >> 6 << 4]
    }
}

/// One of the 16 scales of Q3_K: four bits in the first eight bytes, two in the last four.
#[inline(always)]
pub fn six_bit_scale(packed: &[u8; 12], index: usize) -> i8 {
    let low = packed[index % 8] >> (index / 8 * 4) & 15;
    let high = packed[8 + index % 4] >> (index / 4 * 2) & 3;
    (low | high << 4) as i8 - 32
}

/// The scale of a chunk of IQ4_XS: four bits in the block's bytes 4 to 7, two in those before.
#[inline(always)]
pub fn iq4_xs_scale(block: &[u8; 136], chunk: usize) -> i8 {
    let low = block[4 + chunk / 2] >> (chunk % 2 * 4) & 15;
    let high = block[2 + chunk / 4] >> (chunk % 4 * 2) & 3;
    (low | high << 4) as i8 - 32
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

/// The f16 at a place of a block.
#[inline(always)]
fn half_at(block: &[u8], place: usize) -> f32 {
    f16_to_f32(u16::from_le_bytes([block[place], block[place + 1]]))
}

/// The `index`-th block of a row.
#[inline(always)]
fn block<const BYTES: usize>(row: &[u8], index: usize) -> &[u8; BYTES] {
    row[index * BYTES..].first_chunk().expect("a whole block")
}

/// Of a row in blocks of 256: the block that holds the `index`-th chunk, and which of its chunks that is.
#[inline(always)]
fn chunk<const BYTES: usize>(row: &[u8], index: usize) -> (&[u8; BYTES], usize) {
    (block(row, index / 8), index % 8)
}

/// Decodes the `index`-th 32 values of a row (fewer, `length`, at the end of an unquantised one).
///
/// # Panics
/// When the format's scales lie elsewhere.
#[inline(always)]
pub(super) fn decode_chunk(format: Format, row: &[u8], index: usize, length: usize, out: &mut [f32; BLOCK]) {
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
        Format::Q8_0 => blocks::q8_0(block(row, index), out),
        Format::Q4_0 => blocks::q4_0(block(row, index), out),
        Format::Q4_1 => blocks::q4_1(block(row, index), out),
        Format::Q5_0 => blocks::q5_0(block(row, index), out),
        Format::Q5_1 => blocks::q5_1(block(row, index), out),
        Format::IQ4_NL => blocks::iq4_nl(block(row, index), out),
        Format::MXFP4 => blocks::mxfp4(block(row, index), out),
        Format::Q2_K => super_blocks::q2_k(chunk(row, index), out),
        Format::Q3_K => super_blocks::q3_k(chunk(row, index), out),
        Format::Q4_K => super_blocks::q4_k(chunk(row, index), out),
        Format::Q5_K => super_blocks::q5_k(chunk(row, index), out),
        Format::Q6_K => super_blocks::q6_k(chunk(row, index), out),
        Format::IQ4_XS => super_blocks::iq4_xs(chunk(row, index), out),
        Format::F8_E4M3 | Format::Nf4 => panic!("a matrix in {} without its scales", format.name()),
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
    fn every_exponent_of_mxfp4_is_half_a_power_of_two() {
        for exponent in 0..=254u8 {
            assert_eq!(f64::from(mxfp4_scale(exponent)), 2f64.powi(i32::from(exponent) - 128), "{exponent}");
        }
    }
}

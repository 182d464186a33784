//! Values of a format as f32.

use half::bf16;

use super::Format;

/// Values in a quantised block, and in the chunks that every format is decoded by.
pub const BLOCK: usize = 32;

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
pub fn decode_chunk(format: Format, row: &[u8], index: usize, length: usize, out: &mut [f32; BLOCK]) {
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
}

//! Blocks of 32 values with a scale of their own.

use super::{BLOCK, IQ4_NUMBERS, MXFP4_NUMBERS, half_at, mxfp4_scale};

#[inline(always)]
pub(super) fn q8_0(block: &[u8; 34], out: &mut [f32; BLOCK]) {
    let scale = half_at(block, 0);
    for (value, &byte) in out.iter_mut().zip(&block[2..]) {
        *value = scale * f32::from(byte as i8);
    }
}

#[inline(always)]
pub(super) fn q4_0(block: &[u8; 18], out: &mut [f32; BLOCK]) {
    let scale = half_at(block, 0);
    for position in 0..16 {
        let byte = block[2 + position];
        out[position] = scale * (f32::from(byte & 15) - 8.0);
        out[position + 16] = scale * (f32::from(byte >> 4) - 8.0);
    }
}

#[inline(always)]
pub(super) fn q4_1(block: &[u8; 20], out: &mut [f32; BLOCK]) {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    for position in 0..16 {
        let byte = block[4 + position];
        out[position] = scale * f32::from(byte & 15) + minimum;
        out[position + 16] = scale * f32::from(byte >> 4) + minimum;
    }
}

/// Codes of five bits: nibbles at the block's end, the fifth bits before them.
#[inline(always)]
fn five_bits<const BYTES: usize>(block: &[u8; BYTES]) -> [i32; BLOCK] {
    let (fifth, nibbles) = block[BYTES - 20..].split_first_chunk::<4>().expect("20 bytes");
    let fifth = u32::from_le_bytes(*fifth);
    let mut codes = [0; BLOCK];
    for position in 0..16 {
        let byte = i32::from(nibbles[position]);
        codes[position] = byte & 15 | ((fifth >> position & 1) << 4) as i32;
        codes[position + 16] = byte >> 4 | ((fifth >> (position + 16) & 1) << 4) as i32;
    }
    codes
}

#[inline(always)]
pub(super) fn q5_0(block: &[u8; 22], out: &mut [f32; BLOCK]) {
    let scale = half_at(block, 0);
    for (value, code) in out.iter_mut().zip(five_bits(block)) {
        *value = scale * (code - 16) as f32;
    }
}

#[inline(always)]
pub(super) fn q5_1(block: &[u8; 24], out: &mut [f32; BLOCK]) {
    let (scale, minimum) = (half_at(block, 0), half_at(block, 2));
    for (value, code) in out.iter_mut().zip(five_bits(block)) {
        *value = scale * code as f32 + minimum;
    }
}

/// `scale` times the number that each code stands for.
#[inline(always)]
pub(super) fn numbers(scale: f32, numbers: &[i8; 16], nibbles: &[u8], out: &mut [f32; BLOCK]) {
    for (position, &byte) in nibbles[..16].iter().enumerate() {
        out[position] = scale * f32::from(numbers[usize::from(byte & 15)]);
        out[position + 16] = scale * f32::from(numbers[usize::from(byte >> 4)]);
    }
}

#[inline(always)]
pub(super) fn iq4_nl(block: &[u8; 18], out: &mut [f32; BLOCK]) {
    numbers(half_at(block, 0), &IQ4_NUMBERS, &block[2..], out);
}

#[inline(always)]
pub(super) fn mxfp4(block: &[u8; 17], out: &mut [f32; BLOCK]) {
    numbers(mxfp4_scale(block[0]), &MXFP4_NUMBERS, &block[1..], out);
}

//! Blocks of 256 values, decoded 32 at a time: a scale of the block times smaller ones of 32 or 16 values.

use super::{BLOCK, IQ4_NUMBERS, blocks::numbers, half_at, iq4_xs_scale, six_bit_pair, six_bit_scale};

/// Two bits of each of 32 values, of which four chunks share 32 bytes.
#[inline(always)]
fn two_bits(bytes: &[u8], chunk: usize) -> [i32; BLOCK] {
    let (bytes, shift) = (&bytes[chunk / 4 * 32..], chunk % 4 * 2);
    let mut codes = [0; BLOCK];
    for (code, &byte) in codes.iter_mut().zip(bytes) {
        *code = i32::from(byte) >> shift & 3;
    }
    codes
}

/// Four bits of each of 32 values.
#[inline(always)]
fn four_bits(bytes: &[u8], shift: usize) -> [i32; BLOCK] {
    let mut codes = [0; BLOCK];
    for (code, &byte) in codes.iter_mut().zip(bytes) {
        *code = i32::from(byte) >> shift & 15;
    }
    codes
}

/// One bit of each of 32 values, of which all eight chunks share 32 bytes.
#[inline(always)]
fn one_bit(bytes: &[u8], chunk: usize) -> [i32; BLOCK] {
    let mut bits = [0; BLOCK];
    for (bit, &byte) in bits.iter_mut().zip(bytes) {
        *bit = i32::from(byte) >> chunk & 1;
    }
    bits
}

#[inline(always)]
pub(super) fn q2_k((block, chunk): (&[u8; 84], usize), out: &mut [f32; BLOCK]) {
    let (scale, minimum) = (half_at(block, 80), half_at(block, 82));
    let codes = two_bits(&block[16..80], chunk);
    for (half, (values, codes)) in out.chunks_exact_mut(16).zip(codes.chunks_exact(16)).enumerate() {
        let both = block[2 * chunk + half];
        let (scale, minimum) = (scale * f32::from(both & 15), minimum * f32::from(both >> 4));
        for (value, &code) in values.iter_mut().zip(codes) {
            *value = scale * code as f32 - minimum;
        }
    }
}

#[inline(always)]
pub(super) fn q3_k((block, chunk): (&[u8; 110], usize), out: &mut [f32; BLOCK]) {
    let (scale, scales) = (half_at(block, 108), block[96..].first_chunk().expect("12 bytes"));
    let (codes, bits) = (two_bits(&block[32..96], chunk), one_bit(&block[..32], chunk));
    let parts = codes.chunks_exact(16).zip(bits.chunks_exact(16));
    for (half, (values, (codes, bits))) in out.chunks_exact_mut(16).zip(parts).enumerate() {
        let scale = scale * f32::from(six_bit_scale(scales, 2 * chunk + half));
        for ((value, &code), &bit) in values.iter_mut().zip(codes).zip(bits) {
            // Four less where the third bit is not set.
            *value = scale * (code + 4 * bit - 4) as f32;
        }
    }
}

/// Scale and minimum of a chunk of Q4_K or Q5_K, whose blocks begin alike.
#[inline(always)]
fn scale_and_minimum(block: &[u8], chunk: usize) -> (f32, f32) {
    let [scale, minimum] = six_bit_pair(block[4..].first_chunk().expect("12 bytes"), chunk);
    (half_at(block, 0) * f32::from(scale), half_at(block, 2) * f32::from(minimum))
}

#[inline(always)]
pub(super) fn q4_k((block, chunk): (&[u8; 144], usize), out: &mut [f32; BLOCK]) {
    let (scale, minimum) = scale_and_minimum(block, chunk);
    for (value, code) in out.iter_mut().zip(four_bits(&block[16 + chunk / 2 * 32..], chunk % 2 * 4)) {
        *value = scale * code as f32 - minimum;
    }
}

#[inline(always)]
pub(super) fn q5_k((block, chunk): (&[u8; 176], usize), out: &mut [f32; BLOCK]) {
    let (scale, minimum) = scale_and_minimum(block, chunk);
    let codes = four_bits(&block[48 + chunk / 2 * 32..], chunk % 2 * 4);
    for ((value, code), fifth) in out.iter_mut().zip(codes).zip(one_bit(&block[16..48], chunk)) {
        *value = scale * (code + 16 * fifth) as f32 - minimum;
    }
}

#[inline(always)]
pub(super) fn q6_k((block, chunk): (&[u8; 210], usize), out: &mut [f32; BLOCK]) {
    let scale = half_at(block, 208);
    let low = four_bits(&block[chunk / 4 * 64 + chunk % 2 * 32..], chunk % 4 / 2 * 4);
    let high = two_bits(&block[128..192], chunk);
    let parts = low.chunks_exact(16).zip(high.chunks_exact(16));
    for (half, (values, (low, high))) in out.chunks_exact_mut(16).zip(parts).enumerate() {
        let scale = scale * f32::from(block[192 + 2 * chunk + half] as i8);
        for ((value, &low), &high) in values.iter_mut().zip(low).zip(high) {
            *value = scale * (low + 16 * high - 32) as f32;
        }
    }
}

#[inline(always)]
pub(super) fn iq4_xs((block, chunk): (&[u8; 136], usize), out: &mut [f32; BLOCK]) {
    let scale = half_at(block, 0) * f32::from(iq4_xs_scale(block, chunk));
    numbers(scale, &IQ4_NUMBERS, &block[8 + 16 * chunk..], out);
}

//! Blocks of 32 values, rounded between their extremes.

use half::f16;

/// One over `scale`, or zero for the scale of a block of zeros.
fn inverse(scale: f32) -> f32 {
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

/// The value of the largest magnitude, the first of several.
fn extreme(block: &[f32; 32]) -> f32 {
    block.iter().fold(0.0f32, |most, &value| if value.abs() > most.abs() { value } else { most })
}

fn smallest_and_largest(block: &[f32; 32]) -> (f32, f32) {
    block
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
}

fn push_half(value: f32, out: &mut Vec<u8>) {
    out.extend(f16::from_f32(value).to_le_bytes());
}

/// The lower four bits of the codes: of the first half of a block in the lower nibbles, of the second above them.
fn push_nibbles(codes: &[u8; 32], out: &mut Vec<u8>) {
    let (first, second) = codes.split_at(16);
    out.extend(first.iter().zip(second).map(|(low, high)| low & 15 | high << 4));
}

/// The fifth bits of the codes.
fn push_fifth_bits(codes: &[u8; 32], out: &mut Vec<u8>) {
    let bits = codes.iter().rev().fold(0u32, |bits, code| bits << 1 | u32::from(code >> 4 & 1));
    out.extend(bits.to_le_bytes());
}

pub(super) fn q8_0(block: &[f32; 32], out: &mut Vec<u8>) {
    let scale = extreme(block).abs() / 127.0;
    push_half(scale, out);
    out.extend(block.iter().map(|value| (value * inverse(scale)).round() as i8 as u8));
}

/// Codes around zero, which is code `middle`; the extreme value becomes code 0.
fn centred(block: &[f32; 32], middle: f32) -> (f32, [u8; 32]) {
    let scale = extreme(block) / -middle;
    let inverse = inverse(scale);
    (scale, block.map(|value| (value * inverse + (middle + 0.5)).min(2.0 * middle - 1.0) as u8))
}

/// Codes from the smallest value on.
fn from_smallest(block: &[f32; 32], most: f32) -> (f32, f32, [u8; 32]) {
    let (smallest, largest) = smallest_and_largest(block);
    let scale = (largest - smallest) / most;
    let inverse = inverse(scale);
    (scale, smallest, block.map(|value| ((value - smallest) * inverse + 0.5).min(most) as u8))
}

pub(super) fn q4_0(block: &[f32; 32], out: &mut Vec<u8>) {
    let (scale, codes) = centred(block, 8.0);
    push_half(scale, out);
    push_nibbles(&codes, out);
}

pub(super) fn q4_1(block: &[f32; 32], out: &mut Vec<u8>) {
    let (scale, smallest, codes) = from_smallest(block, 15.0);
    push_half(scale, out);
    push_half(smallest, out);
    push_nibbles(&codes, out);
}

pub(super) fn q5_0(block: &[f32; 32], out: &mut Vec<u8>) {
    let (scale, codes) = centred(block, 16.0);
    push_half(scale, out);
    push_fifth_bits(&codes, out);
    push_nibbles(&codes, out);
}

pub(super) fn q5_1(block: &[f32; 32], out: &mut Vec<u8>) {
    let (scale, smallest, codes) = from_smallest(block, 31.0);
    push_half(scale, out);
    push_half(smallest, out);
    push_fifth_bits(&codes, out);
    push_nibbles(&codes, out);
}

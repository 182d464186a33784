//! How weights are stored: their names and numbers in files, and their bytes.

use half::{bf16, f16};

/// Values in a quantised block.
const BLOCK: usize = 32;

/// A way to store weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// The upper half of 32-bit floats.
    Bf16,
    /// Blocks of 32 signed bytes with a scale.
    Q8_0,
    /// Blocks of 32 four-bit codes from −8 to 7 with a scale.
    Q4_0,
    /// Blocks of 32 four-bit codes from 0 to 15 with a scale and the smallest value.
    Q4_1,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::F32, Self::F16, Self::Bf16, Self::Q8_0, Self::Q4_0, Self::Q4_1];

    /// GGUF's number for it.
    pub fn kind(self) -> u32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q4_0 => 2,
            Self::Q4_1 => 3,
            Self::Q8_0 => 8,
            Self::Bf16 => 30,
        }
    }

    /// The bytes of this many values, which are whole blocks.
    pub fn bytes(self, values: usize) -> usize {
        match self {
            Self::F32 => values * 4,
            Self::F16 | Self::Bf16 => values * 2,
            Self::Q8_0 => values / BLOCK * (2 + BLOCK),
            Self::Q4_0 => values / BLOCK * (2 + BLOCK / 2),
            Self::Q4_1 => values / BLOCK * (4 + BLOCK / 2),
        }
    }

    /// Appends the bytes of `values`, whole blocks, rounded as ggml's reference does.
    pub fn encode(self, values: &[f32], out: &mut Vec<u8>) {
        match self {
            Self::F32 => values.iter().for_each(|value| out.extend(value.to_le_bytes())),
            Self::F16 => values.iter().for_each(|&value| out.extend(f16::from_f32(value).to_le_bytes())),
            Self::Bf16 => values.iter().for_each(|&value| out.extend(bf16::from_f32(value).to_le_bytes())),
            Self::Q8_0 => values.chunks_exact(BLOCK).for_each(|block| encode_q8_0(block, out)),
            Self::Q4_0 => values.chunks_exact(BLOCK).for_each(|block| encode_q4_0(block, out)),
            Self::Q4_1 => values.chunks_exact(BLOCK).for_each(|block| encode_q4_1(block, out)),
        }
    }
}

/// One over `scale`, or zero for the scale of a block of zeros.
fn inverse(scale: f32) -> f32 {
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

fn encode_q8_0(block: &[f32], out: &mut Vec<u8>) {
    let largest = block.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    out.extend(f16::from_f32(scale).to_le_bytes());
    out.extend(block.iter().map(|value| (value * inverse(scale)).round() as i8 as u8));
}

fn encode_q4_0(block: &[f32], out: &mut Vec<u8>) {
    let extreme =
        block.iter().fold(0.0f32, |most, &value| if value.abs() > most.abs() { value } else { most });
    let scale = extreme / -8.0;
    out.extend(f16::from_f32(scale).to_le_bytes());
    let code = |value: f32| (value * inverse(scale) + 8.5).min(15.0) as u8;
    encode_nibbles(block, code, out);
}

fn encode_q4_1(block: &[f32], out: &mut Vec<u8>) {
    let smallest = block.iter().copied().fold(f32::INFINITY, f32::min);
    let largest = block.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let scale = (largest - smallest) / 15.0;
    out.extend(f16::from_f32(scale).to_le_bytes());
    out.extend(f16::from_f32(smallest).to_le_bytes());
    let code = |value: f32| ((value - smallest) * inverse(scale) + 0.5).min(15.0) as u8;
    encode_nibbles(block, code, out);
}

/// The codes of the first half of a block in the lower four bits, those of the second half above them.
fn encode_nibbles(block: &[f32], code: impl Fn(f32) -> u8, out: &mut Vec<u8>) {
    let (first, second) = block.split_at(BLOCK / 2);
    out.extend(first.iter().zip(second).map(|(&low, &high)| code(low) | code(high) << 4));
}

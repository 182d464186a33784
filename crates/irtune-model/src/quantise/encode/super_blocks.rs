//! Blocks of 256 values: scales of 32 or 16 of them, rounded themselves to multiples of the block's.

use half::f16;

use super::search;

/// The parts of a block with `most` as the largest code: the block's scale and minimum, and for each 32 values the
/// six-bit scale and minimum, and the codes.
struct Coded {
    scale: f16,
    minimum: f16,
    pairs: [[u8; 2]; 8],
    codes: [[u8; 32]; 8],
}

fn coded(block: &[f32; 256], most: u8) -> Coded {
    let chunks = block.as_chunks::<32>().0;
    let mut found = [(0.0f32, 0.0f32); 8];
    for (found, values) in found.iter_mut().zip(chunks) {
        *found = search::scale_and_minimum(values, most);
    }
    let (largest_scale, largest_minimum) = found
        .iter()
        .fold((0.0f32, 0.0f32), |(scale, minimum), found| (scale.max(found.0), minimum.max(found.1)));
    let six_bits = |value: f32, largest: f32| match largest > 0.0 {
        true => (63.0 / largest * value).round_ties_even().clamp(0.0, 63.0) as u8,
        false => 0,
    };
    let (scale, minimum) = (f16::from_f32(largest_scale / 63.0), f16::from_f32(largest_minimum / 63.0));
    let mut out = Coded { scale, minimum, pairs: [[0; 2]; 8], codes: [[0; 32]; 8] };
    for (chunk, (values, found)) in chunks.iter().zip(found).enumerate() {
        let pair = [six_bits(found.0, largest_scale), six_bits(found.1, largest_minimum)];
        out.pairs[chunk] = pair;
        let (scale, minimum) = (scale.to_f32() * f32::from(pair[0]), minimum.to_f32() * f32::from(pair[1]));
        out.codes[chunk] = values.map(|value| search::code(value, scale, minimum, most));
    }
    out
}

impl Coded {
    /// What blocks of Q4_K and Q5_K begin with: scale, minimum, and the pairs in twelve bytes.
    fn push_scales(&self, out: &mut Vec<u8>) {
        out.extend(self.scale.to_le_bytes());
        out.extend(self.minimum.to_le_bytes());
        let mut packed = [0u8; 12];
        for (chunk, [scale, minimum]) in self.pairs.into_iter().enumerate() {
            if chunk < 4 {
                packed[chunk] |= scale;
                packed[chunk + 4] |= minimum;
            } else {
                packed[chunk + 4] = scale & 15 | minimum << 4;
                packed[chunk - 4] |= scale >> 4 << 6;
                packed[chunk] |= minimum >> 4 << 6;
            }
        }
        out.extend(packed);
    }

    /// The lower four bits of the codes; two chunks share their bytes.
    fn push_nibbles(&self, out: &mut Vec<u8>) {
        for pair in self.codes.as_chunks::<2>().0 {
            out.extend(pair[0].iter().zip(&pair[1]).map(|(low, high)| low & 15 | high << 4));
        }
    }
}

pub(super) fn q4_k(block: &[f32; 256], out: &mut Vec<u8>) {
    let coded = coded(block, 15);
    coded.push_scales(out);
    coded.push_nibbles(out);
}

pub(super) fn q5_k(block: &[f32; 256], out: &mut Vec<u8>) {
    let coded = coded(block, 31);
    coded.push_scales(out);
    let fifth = |position: usize| {
        coded.codes.iter().enumerate().fold(0, |bits, (chunk, codes)| bits | (codes[position] >> 4) << chunk)
    };
    out.extend((0..32).map(fifth));
    coded.push_nibbles(out);
}

pub(super) fn q6_k(block: &[f32; 256], out: &mut Vec<u8>) {
    let parts = block.as_chunks::<16>().0;
    let mut scales = [0.0f32; 16];
    for (scale, values) in scales.iter_mut().zip(parts) {
        *scale = search::scale(values, 32);
    }
    let extreme =
        scales.iter().fold(0.0f32, |most, &scale| if scale.abs() > most.abs() { scale } else { most });
    // The largest scale becomes −128, the number furthest from zero.
    let scale = f16::from_f32(extreme / -128.0);
    let smaller = scales.map(|scale| match extreme == 0.0 {
        true => 0,
        false => (-128.0 / extreme * scale).round_ties_even().clamp(-128.0, 127.0) as i8,
    });
    let mut codes = [0u8; 256];
    for ((codes, values), smaller) in codes.as_chunks_mut::<16>().0.iter_mut().zip(parts).zip(smaller) {
        let scale = scale.to_f32() * f32::from(smaller);
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        for (code, &value) in codes.iter_mut().zip(values) {
            *code = (search::whole(value, inverse, 32) + 32) as u8;
        }
    }
    // Four chunks of 32 share their bytes: the first two have the lower nibbles, the others the upper ones.
    let halves = codes.as_chunks::<128>().0;
    for half in halves {
        out.extend((0..64).map(|position| half[position] & 15 | half[position + 64] << 4));
    }
    for half in halves {
        let upper = |position: usize| {
            (0..4).fold(0, |bits, chunk| bits | half[chunk * 32 + position] >> 4 << (2 * chunk))
        };
        out.extend((0..32).map(upper));
    }
    out.extend(smaller.map(|smaller| smaller as u8));
    out.extend(scale.to_le_bytes());
}

//! From f32 values to the bytes of a format.
//!
//! # Source
//! Blocks of 32 are rounded as ggml's reference does (`quantize_row_*_ref` in `ggml-quants.c`), to the same bytes.
//! Blocks of 256 are searched for the scales of the smallest weighted squared error, as ggml does too; among scales of
//! nearly the same error it may choose others.

mod blocks;
mod search;
mod super_blocks;

use half::{bf16, f16};
use irtune_device::Format;

/// Appends the bytes of a row in one of the formats that are written.
///
/// # Panics
/// When the values don't fill whole blocks, or the format is one that isn't written.
pub(super) fn encode_row(format: Format, values: &[f32], out: &mut Vec<u8>) {
    assert!(values.len().is_multiple_of(format.block().0), "whole blocks of {format:?}");
    match format {
        Format::F32 => out.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Format::F16 => out.extend(values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes())),
        Format::Bf16 => out.extend(values.iter().flat_map(|&value| bf16::from_f32(value).to_le_bytes())),
        Format::Q8_0 => each(values, |block| blocks::q8_0(block, out)),
        Format::Q4_0 => each(values, |block| blocks::q4_0(block, out)),
        Format::Q4_1 => each(values, |block| blocks::q4_1(block, out)),
        Format::Q5_0 => each(values, |block| blocks::q5_0(block, out)),
        Format::Q5_1 => each(values, |block| blocks::q5_1(block, out)),
        Format::Q4_K => each(values, |block| super_blocks::q4_k(block, out)),
        Format::Q5_K => each(values, |block| super_blocks::q5_k(block, out)),
        Format::Q6_K => each(values, |block| super_blocks::q6_k(block, out)),
        format => panic!("{format:?} is not written"),
    }
}

/// Calls `encode` with each block.
fn each<const VALUES: usize>(values: &[f32], encode: impl FnMut(&[f32; VALUES])) {
    values.as_chunks::<VALUES>().0.iter().for_each(encode);
}

#[cfg(test)]
mod tests {
    use irtune_device::WeightView;
    use irtune_testing::golden::{Golden, sections};

    use super::*;

    fn decoded(format: Format, bytes: &[u8], columns: usize) -> Vec<f32> {
        let weight = WeightView { format, rows: 1, columns, bytes, interleaved_head: None, scales: None };
        let mut values = vec![0.0; columns];
        weight.decode_row(0, &mut values);
        values
    }

    #[test]
    fn blocks_of_32_are_rounded_to_the_bytes_of_ggml() {
        for format in [Format::Q8_0, Format::Q4_0, Format::Q4_1, Format::Q5_0, Format::Q5_1] {
            let section = format.name();
            let golden = Golden::open("quantise", &[section]);
            let values = golden.floats(&format!("{section}/values"));
            let mut bytes = Vec::new();
            encode_row(format, &values, &mut bytes);
            assert!(bytes == golden.bytes(&format!("{section}/bytes")), "{format:?}");
            golden.lends();
        }
        assert_eq!(sections("quantise").len(), 5);
    }

    /// Root mean squares of the errors of normally distributed rows, and of the values.
    fn error(format: Format, mean: f32) -> f64 {
        let mut state = 1u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u64 << 24) as f32
        };
        // The sum of twelve uniform numbers is nearly normal.
        let values: Vec<f32> =
            (0..64 * 256).map(|_| mean + (0..12).map(|_| uniform()).sum::<f32>() - 6.0).collect();
        let mut bytes = Vec::new();
        encode_row(format, &values, &mut bytes);
        let found = decoded(format, &bytes, values.len());
        let squares =
            |of: &mut dyn Iterator<Item = f32>| of.map(|value| f64::from(value * value)).sum::<f64>();
        let errors = squares(&mut values.iter().zip(&found).map(|(value, found)| value - found));
        (errors / squares(&mut values.iter().copied())).sqrt()
    }

    #[test]
    fn searched_scales_are_better_than_those_of_the_extremes() {
        // What a bit more or less changes is a factor of two; ggml's own encoders have these errors within a tenth.
        for (format, plain, limit) in [
            (Format::Q4_K, Format::Q4_1, 0.075),
            (Format::Q5_K, Format::Q5_1, 0.037),
            (Format::Q6_K, Format::Q5_0, 0.018),
        ] {
            for mean in [0.0, 0.2] {
                let (searched, extremes) = (error(format, mean), error(plain, mean));
                assert!(searched < extremes && searched < limit, "{format:?} {searched} {extremes}");
            }
        }
    }

    #[test]
    fn rows_of_zeros_and_of_one_number_are_what_they_are() {
        for format in [Format::Q8_0, Format::Q5_1, Format::Q4_K, Format::Q5_K, Format::Q6_K] {
            for number in [0.0, 0.5, -0.25] {
                let mut bytes = Vec::new();
                encode_row(format, &[number; 512], &mut bytes);
                for found in decoded(format, &bytes, 512) {
                    assert!((found - number).abs() <= 0.01 * number.abs(), "{format:?} {number} {found}");
                }
            }
        }
    }
}

//! Dropout masks from a counter-based generator.
//!
//! A bit depends on the key of its row and on its column alone. So a row's mask is the same however a batch is packed,
//! and a resumed run draws what the uninterrupted one would.

use irtune_device::mix_key;

use crate::{
    gemm::mask::{Mask, WORD_COLUMNS},
    matrix::Matrix,
    simd::{element::Element, vectorised},
    threads::parallel,
};

/// Draws a mask: each value is dropped with probability `p`.
///
/// Row `r` is drawn by the generator keyed `site` and `row_keys[r]`.
///
/// # Shapes
/// `row_keys`: `[rows]`; `words`: `[rows, columns / 32 rounded up]`.
pub fn draw(site: u64, row_keys: &[u64], columns: usize, p: f32, words: &mut [u32]) {
    let words_a_row = columns.div_ceil(WORD_COLUMNS);
    let threshold = (f64::from(p) * 4_294_967_296.0) as u32;
    let words = &mut words[..row_keys.len() * words_a_row];
    parallel::for_each_chunk(words, parallel::rows_per_task(columns) * words_a_row, |first, words| {
        let keys = &row_keys[first / words_a_row..][..words.len() / words_a_row];
        draw_rows(site, keys, threshold, words_a_row, words);
    });
}

vectorised! {
    fn draw_rows(site: u64, keys: &[u64], threshold: u32, words_a_row: usize, words: &mut [u32]) {
        for (row_key, words) in keys.iter().zip(words.chunks_exact_mut(words_a_row)) {
            let row = mix_key(&[site, *row_key]);
            let (low, high) = (row as u32, (row >> 32) as u32 | 1);
            for (index, word) in words.iter_mut().enumerate() {
                let mut kept = 0;
                for bit in 0..32u32 {
                    // A 32-bit finaliser over the column (constants of Wellons' lowbias32).
                    let mut mixed = (index as u32 * 32 + bit).wrapping_mul(high).wrapping_add(low);
                    mixed = (mixed ^ (mixed >> 16)).wrapping_mul(0x7feb_352d);
                    mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x846c_a68b);
                    mixed ^= mixed >> 16;
                    kept |= u32::from(mixed >= threshold) << bit;
                }
                *word = kept;
            }
        }
    }
}

/// `out = mask ∘ input · scale`, all `[rows, columns]`.
pub fn apply<E: Element>(input: Matrix<E>, mask: Mask, out: &mut [E]) {
    input.check();
    mask.check(input.rows, input.columns);
    let (rows, columns) = (input.rows, input.columns);
    let out = &mut out[..rows * columns];
    parallel::for_each_chunk(out, parallel::rows_per_task(columns) * columns, |first, out| {
        for (row, out) in (first / columns..).zip(out.chunks_exact_mut(columns)) {
            apply_row(
                input.row(row),
                &mask.words[row * mask.words_a_row..][..mask.words_a_row],
                mask.scale,
                out,
            );
        }
    });
}

vectorised! {
    fn apply_row<E: Element>(input: &[E], words: &[u32], scale: f32, out: &mut [E]) {
        for ((input, out), &word) in input.chunks(WORD_COLUMNS).zip(out.chunks_mut(WORD_COLUMNS)).zip(words) {
            for (column, (input, out)) in input.iter().zip(out).enumerate() {
                let kept = input.to_f32() * scale;
                *out = E::from_f32(if word >> column & 1 == 1 { kept } else { 0.0 });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_drops_its_share_and_depends_on_every_part_of_its_key() {
        crate::simd::at_every_level(|_| {
            let keys: Vec<u64> = (0..512).collect();
            let draw_one = |site: u64, keys: &[u64]| {
                let mut words = vec![0; keys.len() * 18];
                draw(site, keys, 576, 0.05, &mut words);
                words
            };
            let words = draw_one(1, &keys);
            let kept: u32 = words.iter().map(|word| word.count_ones()).sum();
            let share = f64::from(kept) / (512.0 * 576.0);
            // Standard deviation of the share is 0.0004.
            assert!((share - 0.95).abs() < 0.002, "{share}");
            assert_ne!(words, draw_one(2, &keys));
            assert_eq!(
                &words[18 * 7..18 * 8],
                draw_one(1, &[7]).as_slice(),
                "a row depends on its own key only"
            );
            assert_ne!(&words[..18], &words[18..36]);
        });
    }

    #[test]
    fn columns_and_rows_of_a_mask_are_uncorrelated() {
        crate::simd::at_every_level(|_| {
            let keys: Vec<u64> = (0..4096).collect();
            let mut words = vec![0; 4096 * 2];
            draw(9, &keys, 64, 0.5, &mut words);
            let bit = |row: usize, column: usize| words[row * 2 + column / 32] >> (column % 32) & 1;
            for offset in [(0, 1), (1, 0), (1, 1), (0, 32), (2, 3)] {
                let mut equal = 0;
                for row in 0..4094 {
                    for column in 0..32 {
                        equal += u32::from(bit(row, column) == bit(row + offset.0, (column + offset.1) % 64));
                    }
                }
                let share = f64::from(equal) / (4094.0 * 32.0);
                assert!((share - 0.5).abs() < 0.008, "{offset:?}: {share}");
            }
        });
    }

    #[test]
    fn applying_keeps_scaled_values_and_zeroes_the_rest() {
        crate::simd::at_every_level(|_| {
            let input: Vec<f32> = (1..=70).map(|value| value as f32).collect();
            let words = [0b101, u32::MAX, 0];
            let mut out = vec![9.0; 70];
            apply(Matrix::new(&input, 1, 70), Mask { words: &words, words_a_row: 3, scale: 2.0 }, &mut out);
            for (column, &value) in out.iter().enumerate() {
                let kept = words[column / 32] >> (column % 32) & 1 == 1;
                assert_eq!(value, if kept { (column + 1) as f32 * 2.0 } else { 0.0 }, "{column}");
            }
        });
    }
}

//! Products in 16-bit integers: both sides rounded to whole multiples of a scale, which the left side has for each row
//! and the right for each column, anew for every stretch of 512 summed values.
//!
//! Processors with AVX2 multiply and add twice as many such integers as f32 values at a time. Rounding errors are
//! of the size of bf16's: half of 1/2047 of a row's largest value on the left, of 1/1023 of a column's on the right.

use super::{ROUNDER, column_factors, factor, magnitude};
use crate::{
    element::Element,
    level::{Level, vectorised},
    microkernel::{TILE, Tile},
    pack::PANEL,
};

/// Most summed values that share their scales; more could overflow: `2047 · 1023 · 512 < 2³¹`.
pub(crate) const STRETCH: usize = 512;

/// Largest whole number on the left.
const LEFT_MOST: f32 = 2047.0;

/// Largest whole number on the right.
const RIGHT_MOST: f32 = 1023.0;

#[inline(always)]
fn whole(value: f32) -> i16 {
    (value + ROUNDER).to_bits() as i16
}

vectorised! {
    /// Rounds one row of the left side; an odd last value gets a zero beside it. Gives the row's scale.
    pub(crate) fn round_row<E: Element>(from: &[E], to: &mut [i16]) -> f32 {
        let mut largest = [0u32; 16];
        let chunks = from.chunks_exact(16);
        for (largest, value) in largest.iter_mut().zip(chunks.remainder()) {
            *largest = magnitude(value.to_f32());
        }
        for values in chunks {
            for (largest, value) in largest.iter_mut().zip(values) {
                *largest = magnitude(value.to_f32()).max(*largest);
            }
        }
        let largest = f32::from_bits(largest.into_iter().fold(0, u32::max));
        let (factor, scale) = factor(largest, LEFT_MOST);
        for (to, from) in to.iter_mut().zip(from) {
            *to = whole(from.to_f32() * factor);
        }
        if from.len() < to.len() {
            to[from.len()] = 0;
        }
        scale
    }
}

vectorised! {
    /// Rounds a packed f32 panel `[depth][32]` to `[depth / 2][32][2]`, column by column; writes the columns' scales.
    pub(crate) fn round_panel(panel: &[f32], out: &mut [i16], scales: &mut [f32]) {
        let factors = column_factors(panel, RIGHT_MOST, scales);
        let mut lines = panel.chunks_exact(PANEL);
        for pairs in out.chunks_exact_mut(2 * PANEL) {
            let first = lines.next().expect("a line for every pair");
            let mut low = [0i32; PANEL];
            for ((low, value), factor) in low.iter_mut().zip(first).zip(&factors) {
                *low = (value * factor + ROUNDER).to_bits() as i32 & 0xffff;
            }
            if let Some(second) = lines.next() {
                for ((low, value), factor) in low.iter_mut().zip(second).zip(&factors) {
                    *low |= ((value * factor + ROUNDER).to_bits() << 16) as i32;
                }
            }
            for (pair, both) in bytemuck::cast_slice_mut::<i16, [i16; 2]>(pairs).iter_mut().zip(low) {
                *pair = bytemuck::cast(both.to_le());
            }
        }
    }
}

/// One piece of a product in whole numbers.
pub(crate) struct Integers<'a> {
    /// `[rows, depth]`, depth rounded up to even.
    pub(crate) left: &'a [i16],
    /// Of the left's rows.
    pub(crate) left_scales: &'a [f32],
    /// `[depth / 2][32][2]`
    pub(crate) panel: &'a [i16],
    /// Of the panel's columns.
    pub(crate) panel_scales: &'a [f32],
    /// Summed values, rounded up to even.
    pub(crate) depth: usize,
}

/// Adds the piece to the first `rows` rows of `tile`.
#[inline]
pub(crate) fn multiply(level: Level, rows: usize, piece: &Integers, tile: &mut Tile) {
    let Integers { left, left_scales, panel, panel_scales, depth } = *piece;
    assert!(rows <= TILE && depth <= STRETCH && depth.is_multiple_of(2));
    assert!(left.len() >= rows * depth && left_scales.len() >= rows);
    assert!(panel.len() >= depth * PANEL && panel_scales.len() >= PANEL);
    #[cfg(target_arch = "x86_64")]
    if level >= Level::Avx2 {
        // SAFETY: the level guarantees the instructions, the assertions above every length.
        unsafe { avx2::tile(rows, piece, tile) };
        return;
    }
    let _ = level;
    portable(rows, piece, tile);
}

/// The slow twin.
fn portable(rows: usize, piece: &Integers, tile: &mut Tile) {
    for (row, sums) in tile[..rows].iter_mut().enumerate() {
        for (column, sum) in sums.iter_mut().enumerate() {
            let whole: i32 = (0..piece.depth)
                .map(|inner| {
                    let right = piece.panel[(inner / 2 * PANEL + column) * 2 + inner % 2];
                    i32::from(piece.left[row * piece.depth + inner]) * i32::from(right)
                })
                .sum();
            *sum += whole as f32 * (piece.left_scales[row] * piece.panel_scales[column]);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{Integers, PANEL, Tile};

    /// # Safety
    /// AVX2 and FMA; lengths as `multiply` asserts them.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn tile(rows: usize, piece: &Integers, tile: &mut Tile) {
        for half in [0, 16] {
            let mut row = 0;
            while row < rows {
                let count = (rows - row).min(6);
                // SAFETY: `row + count` is at most `rows`, `half + 16` at most 32.
                unsafe {
                    match count {
                        1 => part::<1>(piece, row, half, tile),
                        2 => part::<2>(piece, row, half, tile),
                        3 => part::<3>(piece, row, half, tile),
                        4 => part::<4>(piece, row, half, tile),
                        5 => part::<5>(piece, row, half, tile),
                        _ => part::<6>(piece, row, half, tile),
                    }
                }
                row += count;
            }
        }
    }

    /// # Safety
    /// As of [`tile`]; `row + ROWS` rows and `half + 16` columns are there.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn part<const ROWS: usize>(piece: &Integers, row: usize, half: usize, tile: &mut Tile) {
        // SAFETY: all reads and writes are in the bounds that the caller guarantees.
        unsafe {
            let left = piece.left.as_ptr().add(row * piece.depth);
            let panel = piece.panel.as_ptr().add(half * 2);
            let mut held = [[_mm256_setzero_si256(); 2]; ROWS];
            for group in 0..piece.depth / 2 {
                let first = _mm256_loadu_si256(panel.add(group * 2 * PANEL).cast());
                let second = _mm256_loadu_si256(panel.add(group * 2 * PANEL + 16).cast());
                for (index, held) in held.iter_mut().enumerate() {
                    let pair = left.add(index * piece.depth + group * 2).cast::<i32>().read_unaligned();
                    let pair = _mm256_set1_epi32(pair);
                    held[0] = _mm256_add_epi32(held[0], _mm256_madd_epi16(pair, first));
                    held[1] = _mm256_add_epi32(held[1], _mm256_madd_epi16(pair, second));
                }
            }
            let scales = piece.panel_scales.as_ptr().add(half);
            let scales = [_mm256_loadu_ps(scales), _mm256_loadu_ps(scales.add(8))];
            for (index, held) in held.iter().enumerate() {
                let own = _mm256_set1_ps(*piece.left_scales.get_unchecked(row + index));
                for (side, held) in held.iter().enumerate() {
                    let out = tile.get_unchecked_mut(row + index).as_mut_ptr().add(half + side * 8);
                    let sums = _mm256_cvtepi32_ps(*held);
                    let scale = _mm256_mul_ps(own, scales[side]);
                    _mm256_storeu_ps(out, _mm256_fmadd_ps(sums, scale, _mm256_loadu_ps(out)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both sides rounded, each with its scales, and what they were.
    struct Rounded {
        left: Vec<i16>,
        left_scales: Vec<f32>,
        panel: Vec<i16>,
        panel_scales: Vec<f32>,
        values: Vec<f32>,
        columns: Vec<f32>,
    }

    fn rounded(rows: usize, depth: usize) -> Rounded {
        let even = depth.next_multiple_of(2);
        let values: Vec<f32> =
            (0..rows * depth).map(|i| (i as f32 * 0.37).sin() * (1.0 + i as f32)).collect();
        let (mut left, mut left_scales) = (vec![9; rows * even], vec![0.0; rows]);
        for row in 0..rows {
            left_scales[row] = round_row(&values[row * depth..][..depth], &mut left[row * even..][..even]);
        }
        let panel: Vec<f32> = (0..depth * PANEL).map(|i| (i as f32 * 0.11).cos()).collect();
        let (mut right, mut right_scales) = (vec![9; even * PANEL], vec![0.0; PANEL]);
        round_panel(&panel, &mut right, &mut right_scales);
        Rounded { left, left_scales, panel: right, panel_scales: right_scales, values, columns: panel }
    }

    #[test]
    fn rounding_is_within_half_a_step_of_the_largest() {
        for depth in [1, 2, 31, 64, 512] {
            let Rounded { left, left_scales, panel: right, panel_scales: right_scales, values, columns } =
                rounded(3, depth);
            let even = depth.next_multiple_of(2);
            for row in 0..3 {
                for inner in 0..depth {
                    let back = f32::from(left[row * even + inner]) * left_scales[row];
                    assert!((back - values[row * depth + inner]).abs() <= 0.501 * left_scales[row]);
                }
                if even > depth {
                    assert_eq!(left[row * even + depth], 0);
                }
            }
            for inner in 0..even {
                for column in 0..PANEL {
                    let found = right[(inner / 2 * PANEL + column) * 2 + inner % 2];
                    let back = f32::from(found) * right_scales[column];
                    let exact = if inner < depth { columns[inner * PANEL + column] } else { 0.0 };
                    assert!((back - exact).abs() <= 0.501 * right_scales[column], "{inner} {column}");
                }
            }
        }
    }

    #[test]
    fn every_level_agrees_with_the_slow_twin() {
        for level in [Level::Portable, Level::Avx2] {
            if level > crate::level::level() {
                continue;
            }
            for (rows, depth) in [(1, 2), (5, 31), (6, 64), (7, 511), (12, 512)] {
                let Rounded { left, left_scales, panel, panel_scales, .. } = rounded(rows, depth);
                let piece = Integers {
                    left: &left,
                    left_scales: &left_scales,
                    panel: &panel,
                    panel_scales: &panel_scales,
                    depth: depth.next_multiple_of(2),
                };
                let mut fast = [[0.5; PANEL]; TILE];
                let mut slow = fast;
                multiply(level, rows, &piece, &mut fast);
                portable(rows, &piece, &mut slow);
                for (fast, slow) in fast.as_flattened().iter().zip(slow.as_flattened()) {
                    assert!((fast - slow).abs() <= 1e-6 * slow.abs().max(1.0), "{level:?} {fast} {slow}");
                }
            }
        }
    }

    #[test]
    fn zeros_and_what_is_not_a_number_stay_what_they_are() {
        let mut out = [9; 4];
        assert_eq!(round_row(&[0.0f32; 4], &mut out), 0.0);
        assert_eq!(out, [0; 4]);
        assert!(round_row(&[0.0, f32::NAN, 1.0, 2.0], &mut out).is_nan());
        assert!(round_row(&[0.0, f32::INFINITY, 1.0, 2.0], &mut out).is_infinite());
    }
}

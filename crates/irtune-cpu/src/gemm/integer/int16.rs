//! GEMM in 16-bit integers, with scales for at most 512 values of K of each row of A and each column of B.
//!
//! AVX2 multiplies and adds twice as many such integers at a time as f32 values. Rounding errors are of the size of
//! bf16's: half of 1/2047 of a group's largest value in A, half of 1/1023 in B.

use super::scale::{ROUNDER, column_factors, factor_and_scale, magnitude};
use crate::{
    gemm::tile::{MR, NR, Tile},
    simd::{element::Element, level::Level, vectorised},
};

/// Most values of K in a quantisation group; more could overflow: `2047 · 1023 · 512 < 2³¹`.
pub(crate) const MOST_GROUP: usize = 512;

/// Neighbours along K that lie side by side in a packed panel: as many as one instruction multiplies and adds.
pub(crate) const K_PACK: usize = 2;

/// The integer that the largest value of a group of A becomes.
const A_LARGEST: f32 = 2047.0;

/// The integer that the largest value of a group of B becomes.
const B_LARGEST: f32 = 1023.0;

#[inline(always)]
fn rounded(value: f32) -> i16 {
    (value + ROUNDER).to_bits() as i16
}

vectorised! {
    /// Quantises one group of a row of A and gives its scale. An odd last value gets a zero beside it.
    pub(crate) fn quantise_row<E: Element>(from: &[E], to: &mut [i16]) -> f32 {
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
        let (factor, scale) = factor_and_scale(largest, A_LARGEST);
        for (to, from) in to.iter_mut().zip(from) {
            *to = rounded(from.to_f32() * factor);
        }
        if from.len() < to.len() {
            to[from.len()] = 0;
        }
        scale
    }
}

vectorised! {
    /// Quantises one group of an f32 panel `[depth, 32]` to `[depth / 2, 32, 2]`, and writes the columns' scales.
    pub(crate) fn quantise_panel(panel: &[f32], out: &mut [i16], scales: &mut [f32]) {
        let factors = column_factors(panel, B_LARGEST, scales);
        let mut lines = panel.chunks_exact(NR);
        for pairs in out.chunks_exact_mut(2 * NR) {
            let first = lines.next().expect("a line for every pair");
            let mut low = [0i32; NR];
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

/// Rows of A and a panel of B over one quantisation group.
pub(crate) struct Int16Group<'a> {
    /// Rows of A, `[rows, depth]`.
    pub(crate) a: &'a [i16],
    /// `[rows]`
    pub(crate) a_scales: &'a [f32],
    /// The panel, `[depth / 2, 32, 2]`.
    pub(crate) b: &'a [i16],
    /// `[32]`
    pub(crate) b_scales: &'a [f32],
    /// Values of K, padded to whole packs.
    pub(crate) depth: usize,
}

/// Adds the group's products to the first `rows` rows of `tile`.
#[inline]
pub(crate) fn multiply(level: Level, rows: usize, group: &Int16Group, tile: &mut Tile) {
    let Int16Group { a, a_scales, b, b_scales, depth } = *group;
    assert!(rows <= MR && depth <= MOST_GROUP && depth.is_multiple_of(K_PACK));
    assert!(a.len() >= rows * depth && a_scales.len() >= rows);
    assert!(b.len() >= depth * NR && b_scales.len() >= NR);
    #[cfg(target_arch = "x86_64")]
    if level >= Level::Avx2 {
        // SAFETY: the level guarantees the instructions, the assertions above every length.
        unsafe { avx2::tile(rows, group, tile) };
        return;
    }
    let _ = level;
    add(rows, group, tile);
}

/// The slow twin, and the way of processors without AVX2.
fn add(rows: usize, group: &Int16Group, tile: &mut Tile) {
    for (row, sums) in tile[..rows].iter_mut().enumerate() {
        for (column, sum) in sums.iter_mut().enumerate() {
            let integer: i32 = (0..group.depth)
                .map(|k| {
                    let b = group.b[(k / K_PACK * NR + column) * K_PACK + k % K_PACK];
                    i32::from(group.a[row * group.depth + k]) * i32::from(b)
                })
                .sum();
            *sum += integer as f32 * (group.a_scales[row] * group.b_scales[column]);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{Int16Group, NR, Tile};

    /// Adds to the first `rows` rows of a tile.
    ///
    /// # Safety
    /// AVX2 and FMA; lengths as `multiply` asserts them.
    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn tile(rows: usize, group: &Int16Group, tile: &mut Tile) {
        for half in [0, 16] {
            let mut row = 0;
            while row < rows {
                let count = (rows - row).min(6);
                // SAFETY: `row + count` is at most `rows`, `half + 16` at most 32.
                unsafe {
                    match count {
                        1 => part::<1>(group, row, half, tile),
                        2 => part::<2>(group, row, half, tile),
                        3 => part::<3>(group, row, half, tile),
                        4 => part::<4>(group, row, half, tile),
                        5 => part::<5>(group, row, half, tile),
                        _ => part::<6>(group, row, half, tile),
                    }
                }
                row += count;
            }
        }
    }

    /// Adds to `ROWS` rows × 16 columns, whose sums stay in registers.
    ///
    /// # Safety
    /// As of [`tile`]; `row + ROWS` rows and `half + 16` columns are there.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn part<const ROWS: usize>(group: &Int16Group, row: usize, half: usize, tile: &mut Tile) {
        // SAFETY: all reads and writes are in the bounds that the caller guarantees.
        unsafe {
            let a = group.a.as_ptr().add(row * group.depth);
            let panel = group.b.as_ptr().add(half * 2);
            let mut held = [[_mm256_setzero_si256(); 2]; ROWS];
            for pack in 0..group.depth / 2 {
                let first = _mm256_loadu_si256(panel.add(pack * 2 * NR).cast());
                let second = _mm256_loadu_si256(panel.add(pack * 2 * NR + 16).cast());
                for (index, held) in held.iter_mut().enumerate() {
                    let pair = a.add(index * group.depth + pack * 2).cast::<i32>().read_unaligned();
                    let pair = _mm256_set1_epi32(pair);
                    held[0] = _mm256_add_epi32(held[0], _mm256_madd_epi16(pair, first));
                    held[1] = _mm256_add_epi32(held[1], _mm256_madd_epi16(pair, second));
                }
            }
            let scales = group.b_scales.as_ptr().add(half);
            let scales = [_mm256_loadu_ps(scales), _mm256_loadu_ps(scales.add(8))];
            for (index, held) in held.iter().enumerate() {
                let own = _mm256_set1_ps(*group.a_scales.get_unchecked(row + index));
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

    /// Rows of A and a panel of B, quantised, and what they were.
    struct Quantised {
        a_values: Vec<f32>,
        b_values: Vec<f32>,
        a: Vec<i16>,
        a_scales: Vec<f32>,
        b: Vec<i16>,
        b_scales: Vec<f32>,
    }

    fn quantised(rows: usize, depth: usize) -> Quantised {
        let even = depth.next_multiple_of(2);
        let a_values: Vec<f32> =
            (0..rows * depth).map(|i| (i as f32 * 0.37).sin() * (1.0 + i as f32)).collect();
        let (mut a, mut a_scales) = (vec![9; rows * even], vec![0.0; rows]);
        for row in 0..rows {
            a_scales[row] = quantise_row(&a_values[row * depth..][..depth], &mut a[row * even..][..even]);
        }
        let b_values: Vec<f32> = (0..depth * NR).map(|i| (i as f32 * 0.11).cos()).collect();
        let (mut b, mut b_scales) = (vec![9; even * NR], vec![0.0; NR]);
        quantise_panel(&b_values, &mut b, &mut b_scales);
        Quantised { a_values, b_values, a, a_scales, b, b_scales }
    }

    #[test]
    fn rounding_is_within_half_a_step_of_the_largest() {
        crate::simd::at_every_level(|_| {
            for depth in [1, 2, 31, 64, 512] {
                check(depth);
            }
        });
    }

    fn check(depth: usize) {
        let found = quantised(3, depth);
        let even = depth.next_multiple_of(2);
        for row in 0..3 {
            for k in 0..depth {
                let back = f32::from(found.a[row * even + k]) * found.a_scales[row];
                assert!((back - found.a_values[row * depth + k]).abs() <= 0.501 * found.a_scales[row]);
            }
            if even > depth {
                assert_eq!(found.a[row * even + depth], 0);
            }
        }
        for k in 0..even {
            for column in 0..NR {
                let integer = found.b[(k / 2 * NR + column) * 2 + k % 2];
                let back = f32::from(integer) * found.b_scales[column];
                let exact = if k < depth { found.b_values[k * NR + column] } else { 0.0 };
                assert!((back - exact).abs() <= 0.501 * found.b_scales[column], "{k} {column}");
            }
        }
    }

    #[test]
    fn every_level_agrees_with_the_slow_twin() {
        crate::simd::at_every_level(|set| {
            for (rows, depth) in [(1, 2), (5, 31), (6, 64), (7, 511), (12, 512)] {
                let found = quantised(rows, depth);
                let group = Int16Group {
                    a: &found.a,
                    a_scales: &found.a_scales,
                    b: &found.b,
                    b_scales: &found.b_scales,
                    depth: depth.next_multiple_of(2),
                };
                let mut fast = [[0.5; NR]; MR];
                let mut slow = fast;
                multiply(set.level, rows, &group, &mut fast);
                add(rows, &group, &mut slow);
                for (fast, slow) in fast.as_flattened().iter().zip(slow.as_flattened()) {
                    assert!((fast - slow).abs() <= 1e-6 * slow.abs().max(1.0), "{set:?} {fast} {slow}");
                }
            }
        });
    }

    #[test]
    fn zeros_and_what_is_not_a_number_stay_what_they_are() {
        crate::simd::at_every_level(|_| {
            let mut out = [9; 4];
            assert_eq!(quantise_row(&[0.0f32; 4], &mut out), 0.0);
            assert_eq!(out, [0; 4]);
            assert!(quantise_row(&[0.0, f32::NAN, 1.0, 2.0], &mut out).is_nan());
            assert!(quantise_row(&[0.0, f32::INFINITY, 1.0, 2.0], &mut out).is_infinite());
        });
    }
}

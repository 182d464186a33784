//! Scales of quantisation groups, and rounding to integers.

use crate::gemm::tile::NR;

/// Adding this to a value below 2²² leaves the value, rounded to nearest even, in the lowest bits.
pub(super) const ROUNDER: f32 = 12_582_912.0;

/// A value's magnitude as an integer that grows with it, NaN above all.
#[inline(always)]
pub(super) fn magnitude(value: f32) -> u32 {
    value.to_bits() & 0x7fff_ffff
}

/// The factor that takes a group's values to integers, and the scale that takes those back.
///
/// `largest_value` is the group's largest magnitude, `largest_integer` what it is to become.
#[inline(always)]
pub(super) fn factor_and_scale(largest_value: f32, largest_integer: f32) -> (f32, f32) {
    // A scale that is not finite makes every sum not finite, as the value itself would.
    if largest_value > 0.0 {
        (largest_integer / largest_value, largest_value / largest_integer)
    } else {
        (0.0, largest_value)
    }
}

/// The factors of the columns of an f32 panel `[depth, 32]`, whose scales it writes.
#[inline(always)]
pub(super) fn column_factors(panel: &[f32], largest_integer: f32, scales: &mut [f32]) -> [f32; NR] {
    let mut largest = [0u32; NR];
    for line in panel.chunks_exact(NR) {
        for (largest, value) in largest.iter_mut().zip(line) {
            *largest = magnitude(*value).max(*largest);
        }
    }
    let mut factors = [0.0f32; NR];
    for ((factor, scale), &largest) in factors.iter_mut().zip(scales).zip(&largest) {
        (*factor, *scale) = factor_and_scale(f32::from_bits(largest), largest_integer);
    }
    factors
}

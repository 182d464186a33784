//! Products in whole numbers: both sides rounded to multiples of scales.

pub(crate) mod eight;
pub(crate) mod sixteen;

use crate::pack::PANEL;

/// Whole numbers that a product is made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 8 bits, scales anew every 64 summed values: the fastest where a processor has AVX-512 VNNI.
    Eight,
    /// 16 bits, scales anew every 512 summed values: faster than f32 where a processor has AVX2.
    Sixteen,
}

impl Width {
    /// Name of the precision.
    pub const fn name(self) -> &'static str {
        match self {
            Width::Eight => "int8",
            Width::Sixteen => "int16",
        }
    }

    /// Summed values that a step of the microkernel takes at once; pieces are padded to whole groups.
    pub(crate) const fn group(self) -> usize {
        match self {
            Width::Eight => eight::GROUP,
            Width::Sixteen => 2,
        }
    }

    /// Bytes of a whole number.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Width::Eight => 1,
            Width::Sixteen => 2,
        }
    }
}

/// Adding this to a value below 2²² leaves the value, rounded to nearest even, in the lowest bits.
const ROUNDER: f32 = 12_582_912.0;

/// A value's magnitude as an integer that grows with it, NaN above all.
#[inline(always)]
fn magnitude(value: f32) -> u32 {
    value.to_bits() & 0x7fff_ffff
}

/// The factor that takes values to whole numbers, and the scale that takes those back, for a largest magnitude.
#[inline(always)]
pub(crate) fn factor(largest: f32, most: f32) -> (f32, f32) {
    // What is not finite makes every sum so.
    if largest > 0.0 { (most / largest, largest / most) } else { (0.0, largest) }
}

/// The factors of a packed f32 panel's columns, whose scales it writes.
#[inline(always)]
fn column_factors(panel: &[f32], most: f32, scales: &mut [f32]) -> [f32; PANEL] {
    let mut largest = [0u32; PANEL];
    for line in panel.chunks_exact(PANEL) {
        for (largest, value) in largest.iter_mut().zip(line) {
            *largest = magnitude(*value).max(*largest);
        }
    }
    let mut factors = [0.0f32; PANEL];
    for ((factor_out, scale), &largest) in factors.iter_mut().zip(scales).zip(&largest) {
        (*factor_out, *scale) = factor(f32::from_bits(largest), most);
    }
    factors
}

//! Keys of dropout: masks come from a counter-based generator, so that they depend on keys alone.

use crate::Memory;

/// What the dropout masks of a micro-batch are drawn from, beside the tokens up to each row; nothing else enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropoutKey {
    /// The run's seed.
    pub seed: u64,
    /// The training step.
    pub step: u64,
}

/// A dropout mask `[rows, columns]` and the factor of what it keeps.
pub struct MaskRef<'a, D: Memory + ?Sized> {
    /// One bit a value, a word for 32 columns.
    pub words: &'a D::Words,
    /// `1 / (1 − p)`
    pub scale: f32,
}

/// A 64-bit key mixed from several numbers.
///
/// # Source
/// The finaliser of SplitMix64 (Steele, Lea & Flood 2014), applied after each part.
#[inline]
pub fn mix_key(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
        let mut mixed = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

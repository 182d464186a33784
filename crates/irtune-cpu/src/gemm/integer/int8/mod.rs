//! GEMM in 8-bit integers, with scales for every 64 values of K of each row of A and each column of B.
//!
//! AVX-512 VNNI multiplies and adds twice as many such integers at a time as bf16 values. Its instruction takes
//! unsigned bytes of A and signed bytes of B. So A is stored with a zero point of 128, and each column's sums start at
//! a compensation of −128 times the sum of the column. A value's rounding error is at most half of 1/127 of its group's
//! largest value.

#[cfg(target_arch = "x86_64")]
mod blocks;
pub(crate) mod microkernel;
pub(crate) mod pack;
pub(crate) mod quantise;
#[cfg(test)]
mod test_data;
#[cfg(target_arch = "x86_64")]
mod vnni;

/// Values of K in a quantisation group.
pub(crate) const GROUP: usize = 64;

/// Neighbours along K that lie side by side in a packed panel: as many as one instruction multiplies and adds.
pub(crate) const K_PACK: usize = 4;

/// The integer that a group's largest value becomes.
const LARGEST: f32 = 127.0;

/// What is added to the integers of A.
const ZERO_POINT: i32 = 128;

/// Rows of A in 8-bit integers.
#[derive(Clone, Copy)]
pub(crate) struct Int8Rows<'a> {
    /// The first row's first integer onwards, each with the zero point added.
    pub(crate) values: &'a [u8],
    /// Integers from the start of a row to that of the next.
    pub(crate) stride: usize,
    /// The first row's scales onwards: one for each group.
    pub(crate) scales: &'a [f32],
    /// Scales from the first of a row to that of the next.
    pub(crate) scales_stride: usize,
    /// Values of K, padded to whole packs.
    pub(crate) depth: usize,
}

/// A packed panel of B in 8-bit integers.
#[derive(Clone, Copy)]
pub(crate) struct Int8Panel<'a> {
    /// `[depth / 4, 32, 4]`
    pub(crate) values: &'a [i8],
    /// `[groups, 32]`
    pub(crate) scales: &'a [f32],
    /// What the sums of a group start from, `[groups, 32]`.
    pub(crate) compensation: &'a [i32],
}

/// A writable [`Int8Panel`].
pub(crate) struct Int8PanelMut<'a> {
    /// `[depth / 4, 32, 4]`
    pub(crate) values: &'a mut [i8],
    /// `[groups, 32]`
    pub(crate) scales: &'a mut [f32],
    /// What the sums of a group start from, `[groups, 32]`.
    pub(crate) compensation: &'a mut [i32],
}

//! GEMM in integers: A and B are quantised, multiplied exactly, and the sums scaled back to f32.
//!
//! A scale belongs to a *quantisation group*: neighbouring values along K of one row of A or one column of B. Within a
//! group sums are exact integers; at its end they are multiplied by both scales and added to the tile.

pub(crate) mod int16;
pub(crate) mod int8;
pub(crate) mod scale;

/// The integers that a GEMM is made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integers {
    /// 8 bits, scales for every 64 values of K: the fastest where a processor has AVX-512 VNNI.
    Int8,
    /// 16 bits, scales for at most 512 values of K: faster than f32 where a processor has AVX2.
    Int16,
}

impl Integers {
    /// Name of the precision.
    pub const fn name(self) -> &'static str {
        match self {
            Integers::Int8 => "int8",
            Integers::Int16 => "int16",
        }
    }

    /// Neighbours along K that lie side by side in a packed panel. K is padded to whole packs.
    pub(crate) const fn k_pack(self) -> usize {
        match self {
            Integers::Int8 => int8::K_PACK,
            Integers::Int16 => int16::K_PACK,
        }
    }

    /// Bytes of an integer.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Integers::Int8 => 1,
            Integers::Int16 => 2,
        }
    }
}

//! Weights in the formats of model files: how they are decoded, and the lookup that decodes four-bit blocks.

#[cfg(target_arch = "x86_64")]
pub(crate) mod four_bit;
pub mod weight;

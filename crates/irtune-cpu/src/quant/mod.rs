//! How weights are decoded from the formats of model files.

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
pub mod decode;

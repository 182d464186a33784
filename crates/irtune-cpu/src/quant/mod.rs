//! How weights are decoded from the formats of model files.

pub mod decode;
#[cfg(target_arch = "x86_64")]
pub(crate) mod four_bit;

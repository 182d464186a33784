//! Matrices in the formats of model files, decoded where they are used.

pub use irtune_device::weight::{BLOCK, Format, WeightView as Weight, decode_chunk};

//! Matrices in the formats of model files, decoded where they are used.

mod decode;
mod format;
mod frozen;
mod view;

pub use decode::{BLOCK, decode_chunk};
pub use format::Format;
pub use frozen::FrozenMatrix;
pub use view::{Stored, WeightView};

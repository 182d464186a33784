//! Matrices in the formats of model files, decoded where they are used.

mod decode;
mod format;
mod frozen;
mod scales;
mod view;

use decode::decode_chunk;
pub use decode::{BLOCK, IQ4_NUMBERS, MXFP4_NUMBERS, iq4_xs_scale, mxfp4_scale, six_bit_pair, six_bit_scale};
pub use format::Format;
pub use frozen::FrozenMatrix;
pub use scales::{BlockScales, MappedBytes, SCALED_BLOCK, ScaleGrid, ScaledBlocks, Scales};
pub use view::{Stored, WeightView};

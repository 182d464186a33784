//! Making a smaller GGUF of a GGUF.

mod encode;
mod error;
mod scheme;
mod write;

pub use error::{QuantiseError, UnknownScheme};
pub use scheme::{SCHEMES, Scheme};
pub use write::{Quantised, quantise};

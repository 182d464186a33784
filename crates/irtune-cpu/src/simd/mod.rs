//! What depends on the processor's instructions: which of them run, element conversion, exponentials, transposes.

pub(crate) mod element;
mod every_level;
pub(crate) mod exponential;
pub(crate) mod level;
pub(crate) mod prefetch;
pub(crate) mod transpose;
mod vectorised;

pub use every_level::at_every_level;
pub(crate) use vectorised::vectorised;

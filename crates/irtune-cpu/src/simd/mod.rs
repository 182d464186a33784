//! What depends on the processor's instructions: which of them run, element conversion, exponentials, transposes.

pub(crate) mod at_every_level;
pub(crate) mod element;
pub(crate) mod exponential;
pub(crate) mod level;
pub(crate) mod prefetch;
pub(crate) mod transpose;
mod vectorised;

pub(crate) use vectorised::vectorised;

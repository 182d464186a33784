//! What a corpus holds, and what two corpora share.

pub(crate) mod contents;
pub(crate) mod leaks;
pub(crate) mod lengths;
mod near;
pub(crate) mod repeats;

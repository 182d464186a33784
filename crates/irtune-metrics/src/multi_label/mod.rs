//! Examples that can have several labels, or none.

pub(crate) mod decisions;
pub(crate) mod figures;
pub(crate) mod predictions;
pub(crate) mod sigmoid;
pub(crate) mod tally;

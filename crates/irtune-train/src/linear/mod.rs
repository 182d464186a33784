//! The linear model of a run's pairs: beside a run, and as a run of its own.

pub(crate) mod baseline;
pub(crate) mod combined_run;
pub(crate) mod reference;
pub(crate) mod score;

//! Using a model: labels for pairs, how good they are, and what a language model says without training.

pub(crate) mod beyond_positions;
pub(crate) mod classifier;
pub(crate) mod combine;
pub(crate) mod decision;
pub(crate) mod error;
pub mod evaluate;
pub(crate) mod kinds;
pub(crate) mod measured;
pub(crate) mod pair_encoder;
pub(crate) mod prediction;
pub(crate) mod predictor;
pub mod prompting;
pub(crate) mod stream;
pub(crate) mod worker;

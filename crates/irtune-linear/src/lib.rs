//! A linear classifier of text revisions, trained in seconds: what a trained language model has to beat.
//!
//! ```text
//! Pair ── Change ─┬─ counters ─ Scaler ─┐
//!                 └─ Field ──── Tfidf ──┴─ sparse row ── Logistic ── log-probabilities
//! ```
//!
//! [`LinearModel::train`] fits it, and chooses the penalty on validation pairs. [`LinearModel::explain`] says what it
//! goes by. [`Stack`] combines its answers with another model's. The crate knows no language model and no files: a model is bytes ([`LinearModel::to_bytes`]).
#![forbid(unsafe_code)]

mod bytes;
mod error;
mod explain;
pub mod features;
pub mod logistic;
mod minimise;
mod model;
mod selection;
mod stack;
pub mod terms;

pub use error::LinearError;
pub use explain::{LabelWeights, TermWeight};
pub use minimise::FitError;
pub use model::LinearModel;
pub use selection::{Candidate, STRENGTHS};
pub use stack::{Answers, Stack};

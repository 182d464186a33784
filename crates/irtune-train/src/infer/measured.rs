//! How good a model is.

use super::kinds::KindFigures;
use irtune_metrics::Metrics;
use serde::Serialize;

/// How good a model is on labelled pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Mean cross-entropy.
    pub loss: f64,
    /// The figures.
    pub metrics: Metrics,
    /// The same by which of their texts the pairs have.
    pub kinds: Vec<KindFigures>,
    /// Pairs that were too long and were shortened around their change.
    pub shortened: usize,
    /// Time it took, reading included.
    pub seconds: f64,
}

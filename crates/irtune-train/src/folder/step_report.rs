//! One training step, as a run's log holds it.

use serde::{Deserialize, Serialize};

/// One training step: a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepReport {
    /// Steps completed, this one included.
    pub step: u64,
    /// Passes over the training examples completed, the present one as a fraction.
    pub epoch: f64,
    /// Mean cross-entropy of the step's examples, weighted and smoothed as the settings say, before the update.
    pub loss: f64,
    /// Learning rate of the update.
    pub learning_rate: f64,
    /// L2 norm of everything that trained, before clipping.
    pub gradient_norm: f64,
    /// The layers that trained, ascending.
    pub active_layers: Vec<usize>,
    /// The policy's scores after the step; `null` for a layer without one, empty for a policy without scores.
    pub scores: Vec<Option<f64>>,
    /// Examples of the step.
    pub examples: usize,
    /// Tokens that went through the model, a shared prefix counted once a micro-batch.
    pub tokens: usize,
    /// Time it took.
    pub seconds: f64,
    /// `tokens / seconds`.
    pub tokens_per_second: f64,
    /// `examples / seconds`.
    pub examples_per_second: f64,
}

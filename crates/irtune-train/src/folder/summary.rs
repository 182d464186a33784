//! The end of a finished run.

use super::evaluation::Evaluation;
use crate::linear::reference::LinearSummary;
use crate::linear::score::Score;
use crate::settings::BestMetric;
use serde::{Deserialize, Serialize};

/// The end of a finished run: `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The layer-wise method; `head_only` when the head alone trained, `linear` for a linear model.
    pub method: String,
    /// Steps made.
    pub steps: u64,
    /// Whether the run ended before its last step because nothing improved.
    pub stopped_early: bool,
    /// What the kept model was chosen by.
    pub best_metric: BestMetric,
    /// After which step the kept model stood; the last one when there was nothing to choose by.
    pub best_step: u64,
    /// Its figure on the validation pairs.
    pub best_value: Option<f64>,
    /// The kept model on the validation pairs, if there are any.
    #[serde(default)]
    pub validation: Option<Score>,
    /// The kept model on the test pairs; with a stack both models together.
    pub test: Option<Evaluation>,
    /// In how many steps each layer trained.
    pub layer_steps: Vec<u64>,
    /// Numbers in adapters and head.
    pub parameters: usize,
    /// Examples trained on.
    pub examples: u64,
    /// Tokens run through the model in training steps.
    pub tokens: u64,
    /// Time spent in training steps.
    pub step_seconds: f64,
    /// Time spent in evaluations.
    pub evaluation_seconds: f64,
    /// `examples / step_seconds`.
    pub examples_per_second: f64,
    /// `tokens / step_seconds`.
    pub tokens_per_second: f64,
    /// Most memory the program held at once, in bytes, where the system tells.
    pub peak_bytes: Option<u64>,
    /// The linear model of the run's pairs, which the run has to beat.
    #[serde(default)]
    pub linear: Option<LinearSummary>,
    /// Both models together, where the run combines them.
    #[serde(default)]
    pub stack: Option<StackSummary>,
}

/// What a stack is worth: the kept model alone, and combined with the linear model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackSummary {
    /// The kept model alone on the test pairs, if there are any.
    pub test_alone: Option<Score>,
    /// Both together on the validation pairs, on which the combination was fitted.
    pub validation: Score,
    /// Both together on the test pairs, if there are any.
    pub test: Option<Score>,
}

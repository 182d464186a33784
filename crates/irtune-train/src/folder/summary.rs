//! The end of a finished run.

use super::evaluation::Evaluation;
use crate::settings::BestMetric;
use serde::{Deserialize, Serialize};

/// The end of a finished run: `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The layer-wise method; `head_only` when the head alone trained.
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
    /// The one label that it gave all validation pairs, when they have several and it told none apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapsed: Option<String>,
    /// The kept model on the test pairs.
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
}

//! The end of a finished run.

use super::calibration::StoredCalibration;
use super::evaluation::Evaluation;
use crate::infer::measured::KeyFigures;
use crate::linear::score::Score;
use crate::settings::BestMetric;
use irtune_metrics::OffsetWorth;
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// What it told all validation pairs as, when they differ and it told none apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collapsed: Option<Collapsed>,
    /// The kept model on the validation pairs, as its outputs are, if there are any.
    #[serde(default)]
    pub validation: Option<Score>,
    /// The kept model on the test pairs, with a stack both models together, calibrated where that was fitted.
    pub test: Option<Evaluation>,
    /// How the kept model was calibrated; `None` without validation pairs, or when it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<CalibrationSummary>,
    /// In how many steps each layer trained.
    pub layer_steps: Vec<u64>,
    /// How many training pairs have each label, in the order of the labels; runs of earlier versions did not keep it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub training_labels: Vec<u64>,
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

/// The one answer that a model gives all pairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Collapsed {
    /// A label.
    Label(String),
    /// Labels of which a pair can have several; maybe none.
    Labels(Vec<String>),
}

impl fmt::Display for Collapsed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Collapsed::Label(label) => write!(formatter, "the label `{label}`"),
            Collapsed::Labels(labels) if labels.is_empty() => formatter.write_str("no label"),
            Collapsed::Labels(labels) => write!(formatter, "the labels `{}`", labels.join("`, `")),
        }
    }
}

/// How good a linear model is that learned from the run's own training pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearSummary {
    /// On the validation pairs, if there are any; its penalty was chosen by them.
    pub validation: Option<Score>,
    /// On the test pairs, if there are any.
    pub test: Option<Score>,
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

/// How a run's kept model was calibrated, and what that changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationSummary {
    /// What was fitted on the validation pairs.
    pub fitted: StoredCalibration,
    /// What the offsets, or thresholds, are worth on validation pairs that they were not tuned on; `None` when none were
    /// tuned.
    pub offsets: Option<OffsetWorth>,
    /// The test pairs, if there are any.
    pub test: Option<CalibrationEffect>,
}

/// The test pairs without and with calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationEffect {
    /// The model's outputs as they are.
    pub plain: KeyFigures,
    /// With the temperature, without offsets, or with thresholds of one half.
    pub without_offsets: KeyFigures,
    /// With both.
    pub calibrated: KeyFigures,
}

//! A model measured on a split, as a run's log holds it.

use crate::data_split::DataSplit;
use crate::infer::kinds::KindFigures;
use crate::settings::BestMetric;
use irtune_metrics::Metrics;
use serde::{Deserialize, Serialize};

/// A model measured on a split of the data: a line of `evaluations.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Steps the model had been trained for.
    pub step: u64,
    /// What it was measured on.
    #[serde(rename = "part")]
    pub split: DataSplit,
    /// Mean cross-entropy, of several labels over pairs and labels.
    pub loss: f64,
    /// How good its answers are.
    pub metrics: Metrics,
    /// How good they are by which of their texts the pairs have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<KindFigures>,
    /// Whether this is the best model so far; on test data always false.
    pub improved: bool,
    /// Time it took.
    pub seconds: f64,
}

impl Evaluation {
    /// The figure that a metric names.
    pub fn value(&self, metric: BestMetric) -> f64 {
        match metric {
            BestMetric::MacroF1 => self.metrics.macro_f1,
            BestMetric::Accuracy => self.metrics.accuracy,
            BestMetric::AveragePrecision => self.metrics.macro_average_precision,
            BestMetric::Loss => self.loss,
        }
    }
}

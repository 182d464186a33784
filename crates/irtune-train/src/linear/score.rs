//! Two figures that say how good a model is.

use irtune_metrics::Metrics;
use serde::{Deserialize, Serialize};

/// How good a model is on some pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Score {
    /// Share of right answers.
    pub accuracy: f64,
    /// Mean F1 over the labels.
    pub macro_f1: f64,
}

impl From<&Metrics> for Score {
    fn from(metrics: &Metrics) -> Score {
        Score { accuracy: metrics.accuracy, macro_f1: metrics.macro_f1 }
    }
}

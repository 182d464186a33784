//! Figures that only examples have which can have several labels.

use serde::{Deserialize, Serialize};

/// Figures that examples have which can have several labels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiLabelFigures {
    /// Share of the labels given that are right, all labels counted together.
    pub micro_precision: f64,
    /// Share of the labels there are that are given, all labels counted together.
    pub micro_recall: f64,
    /// Harmonic mean of both.
    pub micro_f1: f64,
    /// Mean of the examples' own F1; 0 for one that has no labels and is given none.
    pub samples_f1: f64,
    /// Share of all labels of all examples that are given wrongly or missed.
    pub hamming_loss: f64,
}

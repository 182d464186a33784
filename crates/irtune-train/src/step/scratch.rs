//! Buffers that steps share.

use super::parts::Part;
use super::targets::PassTargets;
use irtune_model::{PackedBatch, StepReadings};
use irtune_select::GradientNorms;

/// Buffers that steps share, so that a step need not make them anew.
#[derive(Debug)]
pub struct StepScratch {
    pub(super) active: Vec<bool>,
    pub(super) norms: GradientNorms,
    pub(super) readings: StepReadings,
    pub(super) parts: Vec<Part>,
    pub(super) weights: Option<Vec<f64>>,
    pub(super) targets: PassTargets,
    pub(super) batch: PackedBatch,
}

impl StepScratch {
    /// Buffers for a model of so many layers.
    pub fn new(layers: usize) -> Self {
        let norms = GradientNorms::new(layers);
        Self {
            active: Vec::new(),
            norms,
            readings: StepReadings::default(),
            parts: Vec::new(),
            weights: None,
            targets: PassTargets::default(),
            batch: PackedBatch::default(),
        }
    }

    /// Keeps what [`super::measure_weights`] measured for a policy that chooses by it.
    pub fn set_weights(&mut self, weights: Vec<f64>) {
        self.weights = Some(weights);
    }
}

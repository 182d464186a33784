//! How far probabilities are from how often they are right.

use serde::{Deserialize, Serialize};

use crate::{Predictions, percentile};

/// Bins of a calibration error.
pub const CALIBRATION_BINS: usize = 15;

/// Examples whose answers are about as sure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityBin {
    /// The answers' probabilities are above this; in the first bin they may equal it.
    pub low: f64,
    /// And not above this.
    pub high: f64,
    /// Examples in the bin.
    pub examples: u64,
    /// Their answers' mean probability; 0 without examples.
    pub confidence: f64,
    /// Share of them whose answer is right; 0 without examples.
    pub accuracy: f64,
}

/// Bins of the probability of the predicted label, and the examples in them.
#[derive(Debug, Clone)]
pub struct ReliabilityBins {
    edges: Vec<f64>,
    /// Each example's bin, its answer's probability, and whether the answer is right.
    examples: Vec<(usize, f64, bool)>,
}

impl ReliabilityBins {
    /// Bins of equal width from 0 to 1.
    ///
    /// # Source
    /// Guo, Pleiss, Sun & Weinberger 2017, "On Calibration of Modern Neural Networks"; `calibration_curve(strategy =
    /// "uniform")` of scikit-learn.
    pub fn equal_width(predictions: &Predictions, bins: usize) -> ReliabilityBins {
        let edges = (0..=bins).map(|edge| edge as f64 / bins as f64).collect();
        ReliabilityBins::new(predictions, edges)
    }

    /// Bins of about as many examples each; equal probabilities share a bin.
    ///
    /// # Source
    /// Nguyen & O'Connor 2015, "Posterior calibration and exploratory analysis for natural language processing models";
    /// `calibration_curve(strategy = "quantile")` of scikit-learn.
    pub fn equal_mass(predictions: &Predictions, bins: usize) -> ReliabilityBins {
        let mut sure: Vec<f64> = confidences(predictions).map(|(confidence, _)| confidence).collect();
        sure.sort_by(f64::total_cmp);
        let edges = (0..=bins).map(|edge| percentile(&sure, edge as f64 / bins as f64)).collect();
        ReliabilityBins::new(predictions, edges)
    }

    fn new(predictions: &Predictions, edges: Vec<f64>) -> ReliabilityBins {
        let inner = &edges[1..edges.len() - 1];
        let example =
            |(confidence, right)| (inner.partition_point(|edge| *edge < confidence), confidence, right);
        let examples = confidences(predictions).map(example).collect();
        ReliabilityBins { edges, examples }
    }

    /// Examples.
    pub fn examples(&self) -> usize {
        self.examples.len()
    }

    /// The bins, every example counted as often as its weight says.
    ///
    /// # Shapes
    /// `weights` `[examples]`
    pub fn bins(&self, weights: &[u32]) -> Vec<ReliabilityBin> {
        let bin = |ends: &[f64]| ReliabilityBin {
            low: ends[0],
            high: ends[1],
            examples: 0,
            confidence: 0.0,
            accuracy: 0.0,
        };
        let mut bins: Vec<ReliabilityBin> = self.edges.windows(2).map(bin).collect();
        for (&(place, confidence, right), &weight) in self.examples.iter().zip(weights) {
            let bin = &mut bins[place];
            bin.examples += u64::from(weight);
            bin.confidence += f64::from(weight) * confidence;
            bin.accuracy += if right { f64::from(weight) } else { 0.0 };
        }
        for bin in bins.iter_mut().filter(|bin| bin.examples > 0) {
            bin.confidence /= bin.examples as f64;
            bin.accuracy /= bin.examples as f64;
        }
        bins
    }

    /// The expected calibration error: the mean over the examples of how far their bin's accuracy is from its mean
    /// probability.
    ///
    /// # Shapes
    /// `weights` `[examples]`, of a sum above 0.
    pub fn error(&self, weights: &[u32]) -> f64 {
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        let gap = |bin: &ReliabilityBin| bin.examples as f64 * (bin.accuracy - bin.confidence).abs();
        self.bins(weights).iter().map(gap).sum::<f64>() / total as f64
    }
}

/// Each answer's probability, and whether it is right.
pub(crate) fn confidences(predictions: &Predictions) -> impl Iterator<Item = (f64, bool)> {
    predictions.labels().iter().zip(predictions.predicted()).enumerate().map(
        |(example, (&label, &predicted))| (predictions.probability(example, predicted), label == predicted),
    )
}

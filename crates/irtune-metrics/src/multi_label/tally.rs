//! Counts of one weighting of examples that can have several labels.

use super::predictions::MultiLabelPredictions;
use crate::confusion::ratio;

/// Counts from which the figures of labels follow, with every example counted as often as its weight says.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelTally {
    examples: u64,
    exact: u64,
    hits: Vec<u64>,
    support: Vec<u64>,
    predicted: Vec<u64>,
    samples_f1: f64,
}

impl LabelTally {
    /// Of predictions.
    ///
    /// # Shapes
    /// `weights` `[examples]`.
    pub fn of(predictions: &MultiLabelPredictions, weights: &[u32]) -> LabelTally {
        let none = vec![0; predictions.classes()];
        let (hits, support, predicted) = (none.clone(), none.clone(), none);
        let mut tally = LabelTally { examples: 0, exact: 0, hits, support, predicted, samples_f1: 0.0 };
        for (example, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0) {
            let (truth, said) = (predictions.truth(example), predictions.predicted(example));
            let weight = u64::from(weight);
            tally.examples += weight;
            tally.exact += if truth == said { weight } else { 0 };
            let (mut own_hits, mut both) = (0, 0);
            for (class, (&truth, &said)) in truth.iter().zip(said).enumerate() {
                let hit = u64::from(truth && said);
                tally.hits[class] += weight * hit;
                tally.support[class] += weight * u64::from(truth);
                tally.predicted[class] += weight * u64::from(said);
                own_hits += hit;
                both += u64::from(truth) + u64::from(said);
            }
            tally.samples_f1 += weight as f64 * ratio(2 * own_hits, both);
        }
        tally
    }

    /// All examples.
    pub fn examples(&self) -> u64 {
        self.examples
    }

    /// Share of the examples that are given exactly their labels; 0 of no examples.
    pub fn accuracy(&self) -> f64 {
        ratio(self.exact, self.examples)
    }

    /// Share of all labels of all examples that are given wrongly or missed.
    pub fn hamming_loss(&self) -> f64 {
        let wrong = |class: usize| self.support[class] + self.predicted[class] - 2 * self.hits[class];
        let all = self.examples * self.hits.len() as u64;
        ratio((0..self.hits.len()).map(wrong).sum(), all)
    }

    /// Examples that have the label.
    pub fn support(&self, class: usize) -> u64 {
        self.support[class]
    }

    /// Examples that are given the label.
    pub fn predicted(&self, class: usize) -> u64 {
        self.predicted[class]
    }

    /// Share of the examples given the label that have it.
    pub fn precision(&self, class: usize) -> f64 {
        ratio(self.hits[class], self.predicted[class])
    }

    /// Share of the examples with the label that are given it.
    pub fn recall(&self, class: usize) -> f64 {
        ratio(self.hits[class], self.support[class])
    }

    /// Harmonic mean of the label's precision and recall; 0 for a label that is neither there nor given.
    pub fn f1(&self, class: usize) -> f64 {
        ratio(2 * self.hits[class], self.predicted[class] + self.support[class])
    }

    /// Precision, recall and F1 of all labels counted together.
    pub fn micro(&self) -> [f64; 3] {
        let sum = |counts: &[u64]| counts.iter().sum::<u64>();
        let (hits, support, predicted) = (sum(&self.hits), sum(&self.support), sum(&self.predicted));
        [ratio(hits, predicted), ratio(hits, support), ratio(2 * hits, support + predicted)]
    }

    /// The mean of the examples' own F1; 0 for one that has no labels and is given none.
    pub fn samples_f1(&self) -> f64 {
        if self.examples == 0 { 0.0 } else { self.samples_f1 / self.examples as f64 }
    }
}

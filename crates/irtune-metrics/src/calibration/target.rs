//! What label offsets are tuned for.

use serde::{Deserialize, Serialize};

/// The figure that label offsets are to raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffsetTarget {
    /// Mean of the labels' F1.
    MacroF1,
    /// Share of right answers.
    Accuracy,
}

/// Counts of true and predicted labels, from which a target follows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counts {
    hits: Vec<u32>,
    support: Vec<u32>,
    predicted: Vec<u32>,
}

impl Counts {
    /// Of pairs of a true and a predicted label.
    pub(super) fn of(classes: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Counts {
        let mut counts =
            Counts { hits: vec![0; classes], support: vec![0; classes], predicted: vec![0; classes] };
        for (label, predicted) in pairs {
            counts.support[label] += 1;
            counts.predicted[predicted] += 1;
            counts.hits[label] += u32::from(label == predicted);
        }
        counts
    }

    /// Takes one example of a label for another label than before.
    pub(super) fn change(&mut self, label: usize, before: usize, now: usize) {
        self.predicted[before] -= 1;
        self.predicted[now] += 1;
        self.hits[label] -= u32::from(label == before);
        self.hits[label] += u32::from(label == now);
    }

    /// The figure.
    pub(super) fn figure(&self, target: OffsetTarget) -> f64 {
        match target {
            OffsetTarget::Accuracy => {
                let sum = |counts: &[u32]| f64::from(counts.iter().sum::<u32>());
                sum(&self.hits) / sum(&self.support)
            }
            OffsetTarget::MacroF1 => {
                // Over the labels that are met, as all macro figures.
                let both =
                    self.predicted.iter().zip(&self.support).map(|(predicted, support)| predicted + support);
                let met = || both.clone().zip(&self.hits).filter(|(both, _)| *both > 0);
                let sum: f64 = met().map(|(both, hits)| f64::from(2 * hits) / f64::from(both)).sum();
                sum / met().count() as f64
            }
        }
    }
}

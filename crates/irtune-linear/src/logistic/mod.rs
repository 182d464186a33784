//! Multinomial logistic regression with an L2 penalty.

mod fit;
mod objective;
mod precondition;
mod weights;

pub use fit::{Start, Tolerance, fit};

use irtune_metrics::log_softmax;

use crate::features::Design;
use weights::Weights;

/// How the weights are held small.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Penalty {
    /// scikit-learn's C: how much the pairs count against the penalty. Small is strong.
    pub c: f64,
}

/// A linear map from features to the logits of labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// Of what every pair has `[labels, columns]`, then of terms `[terms, labels]`, then intercepts `[labels]`.
    pub(crate) parameters: Vec<f64>,
    pub(crate) columns: usize,
    pub(crate) labels: usize,
}

impl Logistic {
    /// How many labels there are.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// The weight of one of the numbers that every pair has.
    pub fn number_weight(&self, column: usize, label: usize) -> f64 {
        self.parts().dense[label * self.columns + column]
    }

    /// The weight of a term.
    pub fn term_weight(&self, term: usize, label: usize) -> f64 {
        self.parts().sparse[term * self.labels + label]
    }

    /// Added to each label's logit.
    pub fn intercepts(&self) -> &[f64] {
        self.parts().intercepts
    }

    /// Logarithms of the labels' probabilities.
    ///
    /// # Shapes
    /// The result is `[pairs, labels]`, row-major.
    pub fn log_probabilities(&self, features: &Design) -> Vec<f64> {
        let weights = self.parts();
        let mut logits = vec![0.0; features.pairs() * self.labels];
        for (row, logits) in features.rows().zip(logits.chunks_exact_mut(self.labels)) {
            weights.logits(row, logits);
            log_softmax(logits);
        }
        logits
    }

    fn parts(&self) -> Weights<&[f64]> {
        Weights::of(&self.parameters, self.columns, self.labels)
    }
}

//! Multinomial logistic regression with an L2 penalty.

mod fit;
mod objective;

use sprs::CsMat;

pub use fit::{Start, Tolerance, fit};

/// How the weights are held small, and how pairs count.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Penalty {
    /// scikit-learn's C: how much the pairs count against the penalty. Small is strong.
    pub c: f64,
    /// Whether all labels count the same together, however many pairs they have (scikit-learn's
    /// `class_weight="balanced"`).
    pub balanced: bool,
}

/// A linear map from features to the logits of labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// `[features, labels]`, row-major.
    pub(crate) weights: Vec<f64>,
    /// `[labels]`
    pub(crate) intercepts: Vec<f64>,
}

impl Logistic {
    /// How many labels there are.
    pub fn labels(&self) -> usize {
        self.intercepts.len()
    }

    /// `[features, labels]`, row-major.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// `[labels]`
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }

    /// Logarithms of the labels' probabilities.
    ///
    /// # Shapes
    /// `features` is `[pairs, features]`, the result `[pairs, labels]`, row-major.
    pub fn log_probabilities(&self, features: &CsMat<f64>) -> Vec<f64> {
        let labels = self.labels();
        let mut logits = Vec::with_capacity(features.rows() * labels);
        for row in features.outer_iterator() {
            let start = logits.len();
            logits.extend_from_slice(&self.intercepts);
            let own = &mut logits[start..];
            for (feature, value) in row.iter() {
                let weights = &self.weights[feature * labels..][..labels];
                own.iter_mut().zip(weights).for_each(|(logit, weight)| *logit += value * weight);
            }
            log_softmax(own);
        }
        logits
    }
}

/// Makes logits the logarithms of probabilities; gives the logarithm of what they were divided by.
pub(crate) fn log_softmax(logits: &mut [f64]) {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - highest).exp()).sum();
    let normaliser = highest + sum.ln();
    logits.iter_mut().for_each(|logit| *logit -= normaliser);
}

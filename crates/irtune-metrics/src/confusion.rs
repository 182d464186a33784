//! Which labels are taken for which.

use serde::{Deserialize, Serialize};

use crate::Predictions;

/// Counts of examples by true and predicted label.
///
/// # Shapes
/// `rows` `[classes, classes]`: `rows[true][predicted]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confusion {
    /// One row a true label, one column a predicted label.
    pub rows: Vec<Vec<u64>>,
}

impl Confusion {
    /// Counts every example as often as its weight says.
    ///
    /// # Shapes
    /// `weights` `[examples]`.
    pub fn of(predictions: &Predictions, weights: &[u32]) -> Confusion {
        let classes = predictions.classes();
        let mut rows = vec![vec![0; classes]; classes];
        let pairs = predictions.labels().iter().zip(predictions.predicted());
        for ((&label, &predicted), &weight) in pairs.zip(weights) {
            rows[label][predicted] += u64::from(weight);
        }
        Confusion { rows }
    }

    /// Whether nothing is counted, as where an example can have several labels.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All examples.
    pub fn total(&self) -> u64 {
        self.rows.iter().flatten().sum()
    }

    /// Examples of the class that were recognised.
    pub fn hits(&self, class: usize) -> u64 {
        self.rows[class][class]
    }

    /// Examples of the class.
    pub fn support(&self, class: usize) -> u64 {
        self.rows[class].iter().sum()
    }

    /// Examples taken for the class.
    pub fn predicted(&self, class: usize) -> u64 {
        self.rows.iter().map(|row| row[class]).sum()
    }

    /// Share of examples whose predicted label is the true one; 0 of no examples.
    pub fn accuracy(&self) -> f64 {
        ratio((0..self.rows.len()).map(|class| self.hits(class)).sum(), self.total())
    }

    /// Harmonic mean of the class's precision and recall; 0 for a class that is neither there nor predicted.
    pub fn f1(&self, class: usize) -> f64 {
        ratio(2 * self.hits(class), self.predicted(class) + self.support(class))
    }
}

/// A share, 0 of nothing.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

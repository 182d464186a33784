//! Each label of each example as an example of its own.

use super::predictions::MultiLabelPredictions;
use crate::{MetricsError, Predictions};

impl MultiLabelPredictions {
    /// Whether examples have labels, as predictions of two classes: no, and yes.
    ///
    /// # Errors
    /// None that these predictions can cause.
    pub fn decisions(&self) -> Result<Predictions, MetricsError> {
        let rows = (0..self.examples()).flat_map(|example| self.truth(example));
        let truth: Vec<u32> = rows.map(|&has| u32::from(has)).collect();
        let probabilities = (0..self.examples()).flat_map(|example| self.probabilities(example));
        let both: Vec<f64> =
            probabilities.flat_map(|&probability| [1.0 - probability, probability]).collect();
        Predictions::new(&truth, &both, 2)
    }
}

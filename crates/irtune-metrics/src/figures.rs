//! All figures of one weighting of the examples.

use crate::confusion::ratio;
use crate::{Confusion, Predictions, Rankings};

/// The figures of a prediction, with every example counted as often as its weight says.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Share of examples whose predicted label is the true one.
    pub accuracy: f64,
    /// One entry a label of the label set.
    pub classes: Vec<ClassFigures>,
    /// Counts of true against predicted labels.
    pub confusion: Confusion,
}

/// The figures of one label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassFigures {
    /// Share of the examples taken for the label that have it.
    pub precision: f64,
    /// Share of the examples that have the label and are taken for it.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Area under the label's precision-recall curve.
    pub average_precision: f64,
}

impl Figures {
    /// Measures a prediction.
    ///
    /// # Shapes
    /// `weights` `[examples]`, of a sum above 0; all 1 for the plain figures.
    pub fn of(predictions: &Predictions, rankings: &Rankings, weights: &[u32]) -> Figures {
        let confusion = Confusion::of(predictions, weights);
        let class = |class| {
            let hits = confusion.hits(class);
            let (predicted, support) = (confusion.predicted(class), confusion.support(class));
            ClassFigures {
                precision: ratio(hits, predicted),
                recall: ratio(hits, support),
                f1: confusion.f1(class),
                average_precision: rankings.average_precision(class, weights),
            }
        };
        Figures {
            accuracy: confusion.accuracy(),
            classes: (0..predictions.classes()).map(class).collect(),
            confusion,
        }
    }

    /// The mean of one figure over all labels.
    pub fn macro_mean(&self, figure: impl Fn(&ClassFigures) -> f64) -> f64 {
        self.classes.iter().map(figure).sum::<f64>() / self.classes.len() as f64
    }
}

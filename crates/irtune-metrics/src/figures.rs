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

    /// The mean of one figure over the labels that some example has or is taken for, as scikit-learn's is by default. A
    /// label that is in neither says nothing about the predictions.
    pub fn macro_mean(&self, figure: impl Fn(&ClassFigures) -> f64) -> f64 {
        let confusion = &self.confusion;
        self.mean_where(|class| confusion.support(class) + confusion.predicted(class) > 0, figure)
    }

    /// The mean average precision over the labels that some example has: without one it is not defined.
    pub fn macro_average_precision(&self) -> f64 {
        self.mean_where(|class| self.confusion.support(class) > 0, |class| class.average_precision)
    }

    /// The mean of one figure over the labels that count, the sum of their figures in the order of the label set.
    fn mean_where(&self, counts: impl Fn(usize) -> bool, figure: impl Fn(&ClassFigures) -> f64) -> f64 {
        let counted = || self.classes.iter().enumerate().filter(|(class, _)| counts(*class));
        counted().map(|(_, class)| figure(class)).sum::<f64>() / counted().count() as f64
    }
}

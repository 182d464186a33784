//! A linear classifier of revisions.

use irtune_data::{LabelSet, Pair};

use crate::error::LinearError;
use crate::features::Features;
use crate::logistic::{Logistic, Penalty, Start, Tolerance, fit};
use crate::selection::{Candidate, DEFAULT, Labelled, choose};

/// A linear classifier of revisions: logistic regression on counters of the change and on the words that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel {
    pub(crate) labels: LabelSet,
    pub(crate) penalty: Penalty,
    pub(crate) features: Features,
    pub(crate) logistic: Logistic,
}

impl LinearModel {
    /// Trains on labelled pairs, with the penalty that is best on the validation pairs, or the default one without any.
    ///
    /// The same pairs give the same model, bitwise. `told` learns of every penalty that is tried.
    ///
    /// # Errors
    /// When a pair has no label or one that `labels` lacks, or the fit does not converge.
    pub fn train(
        train: &[Pair],
        validation: &[Pair],
        labels: &LabelSet,
        told: &mut dyn FnMut(&Candidate),
    ) -> Result<LinearModel, LinearError> {
        let targets = targets(train, labels)?;
        let (features, design) = Features::fit(train);
        let learned = Labelled { features: &design, targets: &targets };
        let (penalty, start) = if validation.is_empty() {
            (DEFAULT, None)
        } else {
            let targets = self::targets(validation, labels)?;
            let validation = Labelled { features: &features.design(validation), targets: &targets };
            let (penalty, fitted) = choose(learned, validation, labels.len(), told)?;
            (penalty, Some(fitted))
        };
        let start = start.as_ref().map_or(Start::Zero, Start::From);
        let logistic = fit(&design, &targets, labels.len(), penalty, start, Tolerance::TIGHT)?;
        Ok(LinearModel { labels: labels.clone(), penalty, features, logistic })
    }

    /// The labels, in the order of all probabilities.
    pub fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// The penalty that was chosen.
    pub fn penalty(&self) -> Penalty {
        self.penalty
    }

    /// Weights and intercepts.
    pub fn parameters(&self) -> usize {
        self.logistic.parameters.len()
    }

    /// The classes of labelled pairs.
    ///
    /// # Errors
    /// When a pair has no label, or one that the model does not know.
    pub fn targets(&self, pairs: &[Pair]) -> Result<Vec<u32>, LinearError> {
        targets(pairs, &self.labels)
    }

    /// Logarithms of the labels' probabilities.
    ///
    /// # Shapes
    /// The result is `[pairs, labels]`, row-major.
    pub fn log_probabilities(&self, pairs: &[Pair]) -> Vec<f64> {
        self.logistic.log_probabilities(&self.features.design(pairs))
    }
}

/// The classes of labelled pairs.
fn targets(pairs: &[Pair], labels: &LabelSet) -> Result<Vec<u32>, LinearError> {
    let target =
        |pair: &Pair| labels.class(pair)?.ok_or_else(|| LinearError::NoLabel { place: pair.place.clone() });
    pairs.iter().map(target).collect()
}

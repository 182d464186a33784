//! How good a model is.

use super::kinds::KindFigures;
use irtune_metrics::{Bootstrap, Metrics, MetricsError, Predictions, ProbabilityFigures};
use serde::{Deserialize, Serialize};

/// How good a model is on labelled pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// Mean cross-entropy, of several labels over pairs and labels.
    pub loss: f64,
    /// The figures.
    pub metrics: Metrics,
    /// The same by which of their texts the pairs have.
    pub kinds: Vec<KindFigures>,
    /// The figures of the probabilities; where a pair can have several labels, each label of each pair counts as a decision
    /// of its own.
    pub probabilities: ProbabilityFigures,
    /// What the model says without its calibration, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncalibrated: Option<KeyFigures>,
    /// The pairs that get an answer, where the model abstains from others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
    /// Pairs that were too long and were shortened around their change.
    pub shortened: usize,
    /// Time it took, reading included.
    pub seconds: f64,
}

/// The few figures by which two ways to make answers of the same outputs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFigures {
    /// Share of right answers; of several labels, of pairs that are given exactly theirs.
    pub accuracy: f64,
    /// Mean F1 over the labels.
    pub macro_f1: f64,
    /// Mean negative logarithm of the true label's probability; of several labels, of the probability of the truth about each.
    pub log_loss: f64,
    /// Expected calibration error, 15 bins of equal width.
    pub calibration_error: f64,
}

/// How good the answers are whose probability is not below a threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answered {
    /// The threshold.
    pub abstain_below: f64,
    /// Share of the pairs that get an answer.
    pub coverage: f64,
    /// The figures of these pairs; `None` when there is none.
    pub metrics: Option<Metrics>,
}

impl Answered {
    /// Of predictions.
    ///
    /// # Errors
    /// As [`Metrics::of`].
    pub(crate) fn of(
        predictions: &Predictions,
        abstain_below: f64,
        names: &[String],
        bootstrap: Option<&Bootstrap>,
    ) -> Result<Answered, MetricsError> {
        let sure = |&example: &usize| {
            predictions.probability(example, predictions.predicted()[example]) >= abstain_below
        };
        let answered: Vec<usize> = (0..predictions.examples()).filter(sure).collect();
        let coverage = answered.len() as f64 / predictions.examples() as f64;
        let metrics = match answered.is_empty() {
            true => None,
            false => Some(Metrics::of(&predictions.selected(&answered), names, bootstrap)?),
        };
        Ok(Answered { abstain_below, coverage, metrics })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sure_answers_count() {
        let names = ["a".to_owned(), "b".to_owned()];
        let predictions = Predictions::new(&[0, 1, 0], &[0.9, 0.1, 0.7, 0.3, 0.6, 0.4], 2).unwrap();
        let of = |threshold| Answered::of(&predictions, threshold, &names, None).unwrap();
        assert_eq!(of(0.5).metrics.unwrap().accuracy, 2.0 / 3.0);
        let some = of(0.7);
        assert_eq!((some.coverage, some.metrics.unwrap().accuracy), (2.0 / 3.0, 0.5));
        assert_eq!(of(0.91), Answered { abstain_below: 0.91, coverage: 0.0, metrics: None });
    }
}

//! How a model's outputs become answers, of pairs with one label and of pairs that can have several.

use super::kinds::KindFigures;
use super::measured::KeyFigures;
use irtune_data::{PairKind, Target};
use irtune_metrics::{
    Bootstrap, Calibration, Logits, Metrics, MetricsError, MultiLabelPredictions, OffsetTarget, OffsetWorth,
    Predictions, ProbabilityFigures, Thresholds, mean_binary_loss, mean_loss,
};
use irtune_model::ProblemType;

/// The true answers of labelled pairs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Truth {
    /// The label of each, `[pairs]`.
    One(Vec<u32>),
    /// Whether each has each label, `[pairs, labels]`.
    Several(Vec<bool>),
}

/// How outputs become probabilities, and these an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// The most probable label.
    One(Calibration),
    /// Every label that is probable enough.
    Several(Thresholds),
}

/// What a model says of labelled pairs.
#[derive(Debug, Clone, PartialEq)]
pub enum Decided {
    /// A label for each.
    One(Predictions),
    /// Any number of labels for each.
    Several(MultiLabelPredictions),
}

impl Truth {
    /// Of no pairs yet.
    pub(crate) fn none(problem: ProblemType) -> Truth {
        match problem {
            ProblemType::SingleLabel => Truth::One(Vec::new()),
            ProblemType::MultiLabel => Truth::Several(Vec::new()),
        }
    }

    /// Adds what a pair should be told as; false when it is of the other kind.
    pub(crate) fn push(&mut self, target: &Target) -> bool {
        match (self, target) {
            (Truth::One(classes), Target::Class(class) | Target::Shares { class, .. }) => {
                classes.push(*class)
            }
            (Truth::Several(all), Target::Labels(has)) => all.extend(has),
            (Truth::One(_), Target::Labels(_)) | (Truth::Several(_), _) => return false,
        }
        true
    }
}

impl Decision {
    /// Of outputs as they are.
    pub fn none(problem: ProblemType, labels: usize) -> Decision {
        match problem {
            ProblemType::SingleLabel => Decision::One(Calibration::none(labels)),
            ProblemType::MultiLabel => Decision::Several(Thresholds::none(labels)),
        }
    }

    /// Fitted to pairs that the model was not trained on, and what offsets or thresholds are worth.
    pub(crate) fn fit(
        truth: &Truth,
        logits: &[f32],
        labels: usize,
        target: Option<OffsetTarget>,
        seed: u64,
    ) -> Result<(Decision, Option<OffsetWorth>), MetricsError> {
        match truth {
            Truth::One(classes) => {
                let logits = Logits::new(classes, logits, labels)?;
                let (calibration, worth) = Calibration::fit(&logits, target, seed);
                Ok((Decision::One(calibration), worth))
            }
            Truth::Several(has) => {
                let (thresholds, worth) = Thresholds::fit(has, logits, labels, target, seed)?;
                Ok((Decision::Several(thresholds), worth))
            }
        }
    }

    /// The same temperature without offsets, or with thresholds of one half.
    pub(crate) fn untuned(&self) -> Decision {
        match self {
            Decision::One(calibration) => Decision::One(calibration.without_offsets()),
            Decision::Several(thresholds) => Decision::Several(thresholds.at_one_half()),
        }
    }

    /// The mean cross-entropy, of several labels over pairs and labels.
    ///
    /// # Panics
    /// When the pairs are of the other kind.
    pub(crate) fn loss(&self, truth: &Truth, logits: &[f32]) -> f64 {
        match (self, truth) {
            (Decision::One(calibration), Truth::One(classes)) => {
                let labels = calibration.offsets().len();
                mean_loss(&calibration.scaled(logits), classes, labels)
            }
            (Decision::Several(thresholds), Truth::Several(has)) => {
                mean_binary_loss(&thresholds.scaled(logits), has)
            }
            _ => unreachable!("pairs are read as the model's"),
        }
    }

    /// What is said of labelled pairs.
    ///
    /// # Panics
    /// When the pairs are of the other kind.
    pub(crate) fn decide(&self, truth: &Truth, logits: &[f32]) -> Result<Decided, MetricsError> {
        match (self, truth) {
            (Decision::One(calibration), Truth::One(classes)) => {
                let labels = calibration.offsets().len();
                let probabilities = calibration.probabilities(logits);
                Ok(Decided::One(Predictions::new(classes, &probabilities, labels)?))
            }
            (Decision::Several(thresholds), Truth::Several(has)) => {
                Ok(Decided::Several(thresholds.predictions(has, logits)?))
            }
            _ => unreachable!("pairs are read as the model's"),
        }
    }
}

impl Decided {
    /// Examples.
    pub fn examples(&self) -> usize {
        match self {
            Decided::One(predictions) => predictions.examples(),
            Decided::Several(predictions) => predictions.examples(),
        }
    }

    /// The figures of the answers, with intervals if a bootstrap is given.
    ///
    /// # Errors
    /// As [`Metrics::of`].
    pub fn metrics(&self, names: &[String], bootstrap: Option<&Bootstrap>) -> Result<Metrics, MetricsError> {
        match self {
            Decided::One(predictions) => Metrics::of(predictions, names, bootstrap),
            Decided::Several(predictions) => predictions.metrics(names, bootstrap),
        }
    }

    /// The figures of the probabilities; of several labels each counts as a decision of its own, and there are no
    /// intervals.
    ///
    /// # Errors
    /// As [`ProbabilityFigures::of`].
    pub fn probability_figures(
        &self,
        bootstrap: Option<&Bootstrap>,
    ) -> Result<ProbabilityFigures, MetricsError> {
        match self {
            Decided::One(predictions) => ProbabilityFigures::of(predictions, bootstrap),
            Decided::Several(predictions) => predictions.probability_figures(),
        }
    }

    /// The few figures that calibrations are compared by.
    pub(crate) fn key_figures(&self, names: &[String]) -> Result<KeyFigures, MetricsError> {
        let (metrics, probabilities) = (self.metrics(names, None)?, self.probability_figures(None)?);
        Ok(KeyFigures {
            accuracy: metrics.accuracy,
            macro_f1: metrics.macro_f1,
            log_loss: probabilities.log_loss,
            calibration_error: probabilities.calibration_error,
        })
    }

    /// The figures by which of their texts the pairs have.
    pub(crate) fn kinds(&self, kinds: &[PairKind]) -> Vec<KindFigures> {
        match self {
            Decided::One(predictions) => KindFigures::of(predictions, kinds),
            Decided::Several(predictions) => KindFigures::of_several(predictions, kinds),
        }
    }

    /// Those of several sets of pairs as one; they are all of one kind.
    ///
    /// # Errors
    /// As [`Predictions::joined`].
    pub(crate) fn joined(parts: Vec<Decided>) -> Result<Decided, MetricsError> {
        let (mut one, mut several) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Decided::One(predictions) => one.push(predictions),
                Decided::Several(predictions) => several.push(predictions),
            }
        }
        match several.is_empty() {
            true => Ok(Decided::One(Predictions::joined(&one.iter().collect::<Vec<_>>())?)),
            false => Ok(Decided::Several(MultiLabelPredictions::joined(&several)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_the_other_kind_are_not_taken() {
        let (class, labels) = (Target::Class(1), Target::Labels(vec![true, false]));
        let mut one = Truth::none(ProblemType::SingleLabel);
        assert!(one.push(&class) && !one.push(&labels));
        assert!(one.push(&Target::Shares { class: 0, shares: vec![1.0, 0.0] }));
        assert_eq!(one, Truth::One(vec![1, 0]));
        let mut several = Truth::none(ProblemType::MultiLabel);
        assert!(several.push(&labels) && !several.push(&class));
        assert_eq!(several, Truth::Several(vec![true, false]));
    }

    #[test]
    fn several_labels_are_those_from_one_half_on() {
        let truth = Truth::Several(vec![true, false, false, true]);
        let plain = Decision::none(ProblemType::MultiLabel, 2);
        let logits = [1.0, -1.0, 2.0, 0.0];
        let Decided::Several(found) = plain.decide(&truth, &logits).unwrap() else { panic!() };
        assert_eq!((found.predicted(0), found.predicted(1)), (&[true, false][..], &[true, true][..]));
        let names = ["a".to_owned(), "b".to_owned()];
        let decided = Decided::Several(found);
        assert_eq!(decided.metrics(&names, None).unwrap().accuracy, 0.5);
        let key = decided.key_figures(&names).unwrap();
        assert!((key.log_loss - plain.loss(&truth, &logits)).abs() < 1e-12, "{key:?}");
        let both = Decided::joined(vec![decided.clone(), decided]).unwrap();
        assert_eq!((both.examples(), both.kinds(&[PairKind::Added; 4])[0].accuracy), (4, 0.5));
    }
}

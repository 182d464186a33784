//! How outputs of labels of which an example can have several become answers.

use super::cross_fit::{OffsetWorth, cross_fit};
use super::target::OffsetTarget;
use super::temperature::temperature;
use super::threshold_search::SeveralLabels;
use crate::multi_label::predictions::check;
use crate::{Logits, MetricsError, MultiLabelPredictions, sigmoid};

/// How outputs become probabilities, `sigmoid(logit / temperature)`, and from which probability on each label is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    temperature: f64,
    thresholds: Vec<f64>,
}

impl Thresholds {
    /// Of a temperature and a threshold for each label; `None` when the temperature is not above 0 and finite or a threshold
    /// is not between 0 and 1.
    pub fn new(temperature: f64, thresholds: Vec<f64>) -> Option<Thresholds> {
        let usable = temperature.is_finite()
            && temperature > 0.0
            && thresholds.iter().all(|threshold| (0.0..=1.0).contains(threshold));
        usable.then_some(Thresholds { temperature, thresholds })
    }

    /// Outputs as they are, and every label given from one half on.
    pub fn none(classes: usize) -> Thresholds {
        Thresholds { temperature: 1.0, thresholds: vec![0.5; classes] }
    }

    /// Fits them to labelled examples that the model was not trained on: the temperature so that probabilities are as honest
    /// as they can be, the thresholds so that they raise `target`, where one is given. Also says what the thresholds are
    /// worth. Equal seeds give equal results.
    ///
    /// Thresholds are held against noise as a [`Calibration`](super::Calibration)'s offsets are: they are as far from one
    /// half as helps examples that they were not tuned on.
    ///
    /// # Shapes
    /// `truth` and `logits` `[examples, classes]`, row-major.
    ///
    /// # Errors
    /// [`MetricsError`] if there is no example or class, the shapes differ or an output is not finite.
    pub fn fit<T: Copy + Into<f64>>(
        truth: &[bool],
        logits: &[T],
        classes: usize,
        target: Option<OffsetTarget>,
        seed: u64,
    ) -> Result<(Thresholds, Option<OffsetWorth>), MetricsError> {
        check(truth, logits, classes)?;
        let logits: Vec<f64> = logits.iter().map(|&logit| logit.into()).collect();
        // Each label of each example is a decision between 0 and its output.
        let has: Vec<u32> = truth.iter().map(|&has| u32::from(has)).collect();
        let decisions: Vec<f64> = logits.iter().flat_map(|&logit| [0.0, logit]).collect();
        let temperature = temperature(&Logits::new(&has, &decisions, 2)?);
        let tuned =
            target.map(|target| cross_fit(&SeveralLabels { truth, logits: &logits, classes, target }, seed));
        let Some(tuned) = tuned else {
            return Ok((Thresholds { temperature, ..Thresholds::none(classes) }, None));
        };
        let thresholds = tuned.offsets.iter().map(|offset| sigmoid(-offset / temperature)).collect();
        Ok((Thresholds { temperature, thresholds }, Some(tuned.worth)))
    }

    /// What outputs are divided by.
    pub fn temperature(&self) -> f64 {
        self.temperature
    }

    /// From which probability on each label is given.
    pub fn thresholds(&self) -> &[f64] {
        &self.thresholds
    }

    /// The same temperature, with every label given from one half on.
    pub fn at_one_half(&self) -> Thresholds {
        Thresholds { temperature: self.temperature, ..Thresholds::none(self.thresholds.len()) }
    }

    /// Outputs divided by the temperature.
    pub fn scaled<T: Copy + Into<f64>>(&self, logits: &[T]) -> Vec<f64> {
        logits.iter().map(|&logit| logit.into() / self.temperature).collect()
    }

    /// The probabilities of examples' labels.
    ///
    /// # Shapes
    /// `logits` and the result `[examples, classes]`, row-major.
    pub fn probabilities<T: Copy + Into<f64>>(&self, logits: &[T]) -> Vec<f64> {
        self.scaled(logits).into_iter().map(sigmoid).collect()
    }

    /// Whether labels of these probabilities are given.
    ///
    /// # Shapes
    /// `probabilities` and the result `[examples, classes]`, row-major.
    pub fn given(&self, probabilities: &[f64]) -> Vec<bool> {
        let rows = probabilities.chunks_exact(self.thresholds.len());
        rows.flat_map(|row| row.iter().zip(&self.thresholds).map(|(value, threshold)| value >= threshold))
            .collect()
    }

    /// What is said of labelled examples.
    ///
    /// # Errors
    /// As [`MultiLabelPredictions::new`].
    pub fn predictions<T: Copy + Into<f64>>(
        &self,
        truth: &[bool],
        logits: &[T],
    ) -> Result<MultiLabelPredictions, MetricsError> {
        let probabilities = self.probabilities(logits);
        let given = self.given(&probabilities);
        MultiLabelPredictions::new(truth.to_vec(), given, probabilities, self.thresholds.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mean_binary_loss;

    /// The second label is rare, and its output nearly always below 0 though it tells.
    fn made_up(examples: usize) -> (Vec<bool>, Vec<f64>) {
        let truth: Vec<bool> =
            (0..examples * 2).map(|at| if at % 2 == 0 { at % 4 == 0 } else { at / 2 % 5 == 0 }).collect();
        let value = |at: usize| {
            let noise = ((at * at * 31 + at * 17) % 101) as f64 / 12.0 - 4.0;
            noise + if truth[at] { 4.0 } else { -4.0 } - if at % 2 == 1 { 6.0 } else { 0.0 }
        };
        (truth.clone(), (0..examples * 2).map(value).collect())
    }

    #[test]
    fn a_rare_label_is_given_again_and_probabilities_stay() {
        let (truth, logits) = made_up(200);
        let fit = |target| Thresholds::fit(&truth, &logits, 2, target, 1).unwrap();
        let (fitted, worth) = fit(Some(OffsetTarget::MacroF1));
        let worth = worth.unwrap();
        assert!(worth.cross_fitted > worth.plain + 0.1 && worth.share > 0.3, "{worth:?}");
        assert!(fitted.thresholds()[1] < 0.4, "{fitted:?}");
        let f1 = |rule: &Thresholds| {
            let metrics = rule.predictions(&truth, &logits).unwrap().metrics(&["a", "b"], None).unwrap();
            metrics.macro_f1
        };
        let (tuned, plain) = (f1(&fitted), f1(&fitted.at_one_half()));
        assert!(tuned > plain + 0.05, "{tuned} {plain} {worth:?} {fitted:?}");
        assert_eq!(fitted.probabilities(&logits), fitted.at_one_half().probabilities(&logits));
        assert_eq!(fit(Some(OffsetTarget::MacroF1)), (fitted.clone(), Some(worth)));
        assert_eq!(fit(None), (fitted.at_one_half(), None));
        assert!(fit(Some(OffsetTarget::Accuracy)).1.unwrap().cross_fitted > worth.plain - 1.0);
    }

    #[test]
    fn the_temperature_is_the_best_one() {
        let (truth, logits) = made_up(200);
        let (fitted, _) = Thresholds::fit(&truth, &logits, 2, None, 1).unwrap();
        let loss = |temperature: f64| {
            let rule = Thresholds::new(temperature, vec![0.5; 2]).unwrap();
            mean_binary_loss(&rule.scaled(&logits), &truth)
        };
        let best = fitted.temperature();
        assert!(loss(best) < loss(best * 1.01) && loss(best) < loss(best * 0.99), "{best}");
    }

    #[test]
    fn thresholds_of_noise_are_not_kept() {
        let truth: Vec<bool> = (0..80).map(|at| at % 3 == 0).collect();
        let logits: Vec<f64> = truth.iter().map(|&has| if has { 1.0 } else { -1.0 }).collect();
        let (fitted, worth) = Thresholds::fit(&truth, &logits, 2, Some(OffsetTarget::MacroF1), 1).unwrap();
        assert_eq!(worth, Some(OffsetWorth { plain: 1.0, cross_fitted: 1.0, share: 0.0 }));
        assert_eq!(fitted, Thresholds::none(2));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert_eq!(Thresholds::new(0.0, vec![0.5]), None);
        assert_eq!(Thresholds::new(1.0, vec![1.5]), None);
        assert_eq!(Thresholds::new(f64::NAN, vec![0.5]), None);
        let rule = Thresholds::new(2.0, vec![0.25, 0.75]).unwrap();
        assert_eq!(rule.given(&[0.25, 0.7, 0.2, 0.75]), [true, false, false, true]);
        let refused = Thresholds::fit(&[true], &[f64::NAN], 1, None, 1);
        assert!(matches!(refused, Err(MetricsError::NonFiniteProbability { .. })));
    }
}

//! From a model's outputs to probabilities that people can use: a temperature, and an offset for each label, or a
//! threshold where an example can have several.

mod certainty;
mod cross_fit;
mod offsets;
mod target;
mod temperature;
mod threshold_search;
mod thresholds;

pub use certainty::certainty_scale;
pub use cross_fit::OffsetWorth;
pub use target::OffsetTarget;
pub use temperature::temperature;
pub use thresholds::Thresholds;

use crate::{Logits, softmax};
use cross_fit::cross_fit;
use offsets::OneLabel;

/// How outputs become probabilities: `softmax(logits / temperature + offsets)`.
///
/// The offsets are inside, so the answer with the highest probability is the one that the offsets choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    temperature: f64,
    offsets: Vec<f64>,
}

impl Calibration {
    /// Of a temperature and an offset for each label; `None` when the temperature is not above 0 and finite or an offset
    /// is not finite.
    pub fn new(temperature: f64, offsets: Vec<f64>) -> Option<Calibration> {
        let usable =
            temperature.is_finite() && temperature > 0.0 && offsets.iter().all(|offset| offset.is_finite());
        usable.then_some(Calibration { temperature, offsets })
    }

    /// The one that changes nothing.
    pub fn none(classes: usize) -> Calibration {
        Calibration { temperature: 1.0, offsets: vec![0.0; classes] }
    }

    /// Fits it to labelled examples that the model was not trained on, with offsets that raise `target` where one is
    /// given. Also says what the offsets are worth.
    ///
    /// The offsets come first. The temperature is fitted with them, so that probabilities are as honest as they can be
    /// while the most probable label is the one that the offsets choose. Equal seeds give equal results.
    pub fn fit(
        logits: &Logits,
        target: Option<OffsetTarget>,
        seed: u64,
    ) -> (Calibration, Option<OffsetWorth>) {
        let tuned = target.map(|target| cross_fit(&OneLabel { logits, target }, seed));
        let (offsets, worth) = match tuned {
            Some(tuned) => (tuned.offsets, Some(tuned.worth)),
            None => (vec![0.0; logits.classes()], None),
        };
        let temperature = temperature(&logits.with_offsets(&offsets));
        let offsets = offsets.into_iter().map(|offset| offset / temperature).collect();
        (Calibration { temperature, offsets }, worth)
    }

    /// What outputs are divided by.
    pub fn temperature(&self) -> f64 {
        self.temperature
    }

    /// What is added to them then, for each label.
    pub fn offsets(&self) -> &[f64] {
        &self.offsets
    }

    /// The same temperature without offsets.
    pub fn without_offsets(&self) -> Calibration {
        Calibration { temperature: self.temperature, offsets: vec![0.0; self.offsets.len()] }
    }

    /// Outputs divided and added to, ready for a softmax.
    ///
    /// # Shapes
    /// `logits` and the result `[examples, classes]`, row-major.
    pub fn scaled<T: Copy + Into<f64>>(&self, logits: &[T]) -> Vec<f64> {
        let rows = logits.chunks_exact(self.offsets.len());
        let scale = |(&value, offset): (&T, &f64)| value.into() / self.temperature + offset;
        rows.flat_map(|row| row.iter().zip(&self.offsets).map(scale)).collect()
    }

    /// The probabilities of examples.
    ///
    /// # Shapes
    /// `logits` and the result `[examples, classes]`, row-major.
    pub fn probabilities<T: Copy + Into<f64>>(&self, logits: &[T]) -> Vec<f64> {
        self.scaled(logits).chunks_exact(self.offsets.len()).flat_map(softmax).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Predictions;

    fn made_up() -> (Vec<u32>, Vec<f64>) {
        let labels: Vec<u32> =
            (0..120u32).map(|example| if example % 6 == 0 { 2 } else { example % 2 }).collect();
        let value = |at: usize| {
            let noise = ((at * at * 31 + at * 17) % 101) as f64 / 20.0;
            let (label, class) = (labels[at / 3] as usize, at % 3);
            noise + if label == class { 4.0 } else { 0.0 } - if class == 2 { 6.0 } else { 0.0 }
        };
        (labels.clone(), (0..360).map(value).collect())
    }

    #[test]
    fn nothing_is_nothing() {
        let logits = [0.25f32, -1.5, 3.0, 1.0, 1.0, 0.0];
        let none = Calibration::none(3);
        let plain: Vec<f64> = logits.chunks_exact(3).flat_map(softmax).collect();
        assert_eq!(none.probabilities(&logits), plain);
        assert_eq!(Calibration::new(1.0, vec![0.0; 3]), Some(none));
        assert_eq!(Calibration::new(0.0, vec![0.0]), None);
        assert_eq!(Calibration::new(f64::NAN, vec![0.0]), None);
        assert_eq!(Calibration::new(1.0, vec![f64::INFINITY]), None);
    }

    #[test]
    fn a_label_that_is_never_the_answer_becomes_one() {
        let (labels, values) = made_up();
        let logits = Logits::new(&labels, &values, 3).unwrap();
        let (calibration, worth) = Calibration::fit(&logits, Some(OffsetTarget::MacroF1), 1);
        let worth = worth.unwrap();
        assert!(worth.cross_fitted > worth.plain && worth.share > 0.0, "{worth:?}");
        assert!(calibration.offsets()[2] > 0.0, "{calibration:?}");
        let taken = |calibration: &Calibration| {
            let predictions = Predictions::new(&labels, &calibration.probabilities(&values), 3).unwrap();
            predictions.predicted().iter().filter(|&&label| label == 2).count()
        };
        assert!(taken(&calibration) > taken(&calibration.without_offsets()));
        let again = Calibration::fit(&logits, Some(OffsetTarget::MacroF1), 1);
        assert_eq!(again, (calibration, Some(worth)));
    }

    #[test]
    fn offsets_of_noise_are_not_kept() {
        // What is right is right by far: nothing can be better.
        let labels: Vec<u32> = (0..40).map(|example| example % 2).collect();
        let values: Vec<f64> =
            (0..80).map(|at| f64::from(u8::from(labels[at / 2] as usize == at % 2))).collect();
        let logits = Logits::new(&labels, &values, 2).unwrap();
        let (calibration, worth) = Calibration::fit(&logits, Some(OffsetTarget::MacroF1), 1);
        assert_eq!(worth, Some(OffsetWorth { plain: 1.0, cross_fitted: 1.0, share: 0.0 }));
        assert_eq!(calibration, Calibration::none(2));
        assert_eq!(Calibration::fit(&logits, None, 1), (Calibration::none(2), None));
    }

    #[test]
    fn the_temperature_is_the_best_one_beside_the_offsets() {
        let (labels, values) = made_up();
        let logits = Logits::new(&labels, &values, 3).unwrap();
        let (calibration, _) = Calibration::fit(&logits, Some(OffsetTarget::Accuracy), 1);
        let scaled = calibration.scaled(&values);
        let again = temperature(&Logits::new(&labels, &scaled, 3).unwrap());
        assert!((again - 1.0).abs() < 1e-9, "{again}");
    }
}

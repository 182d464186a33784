//! How good a model is on pairs that add, delete and modify text.

use irtune_data::PairKind;
use irtune_metrics::{Confusion, LabelTally, MultiLabelPredictions, Predictions};
use serde::{Deserialize, Serialize};
use strum::VariantArray;

/// How good a model is on the pairs of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindFigures {
    /// Which of their texts these pairs have.
    pub kind: PairKind,
    /// How many they are.
    pub examples: usize,
    /// Share of right answers; of several labels, of pairs that are given exactly theirs.
    pub accuracy: f64,
    /// Mean F1 over the labels that these pairs have; other labels would count as 0.
    pub macro_f1: f64,
}

impl KindFigures {
    /// Of every kind that there is.
    ///
    /// # Shapes
    /// `kinds`: one for each example of the predictions.
    pub fn of(predictions: &Predictions, kinds: &[PairKind]) -> Vec<KindFigures> {
        by_kind(kinds, |weights| {
            let confusion = Confusion::of(predictions, weights);
            let classes = 0..predictions.classes();
            let labels = classes.filter(|&class| confusion.support(class) > 0);
            let f1: Vec<f64> = labels.map(|class| confusion.f1(class)).collect();
            (confusion.total(), confusion.accuracy(), f1)
        })
    }

    /// The same of pairs that can have several labels.
    ///
    /// # Shapes
    /// `kinds`: one for each example of the predictions.
    pub fn of_several(predictions: &MultiLabelPredictions, kinds: &[PairKind]) -> Vec<KindFigures> {
        by_kind(kinds, |weights| {
            let tally = LabelTally::of(predictions, weights);
            let labels = (0..predictions.classes()).filter(|&class| tally.support(class) > 0);
            (tally.examples(), tally.accuracy(), labels.map(|class| tally.f1(class)).collect())
        })
    }
}

/// The figures of every kind that there is, from examples, accuracy and the F1 of the labels there of a weighting.
fn by_kind(kinds: &[PairKind], count: impl Fn(&[u32]) -> (u64, f64, Vec<f64>)) -> Vec<KindFigures> {
    let figures = PairKind::VARIANTS.iter().filter_map(|&kind| {
        let weights: Vec<u32> = kinds.iter().map(|of| u32::from(*of == kind)).collect();
        let (examples, accuracy, f1) = count(&weights);
        let macro_f1 = f1.iter().sum::<f64>() / f1.len().max(1) as f64;
        (examples > 0).then_some(KindFigures { kind, examples: examples as usize, accuracy, macro_f1 })
    });
    figures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_measured_by_kind() {
        use PairKind::{Added, Modified};
        // Predicted: 0, 1, 1, 0, 1.
        let second = [0.1, 0.9, 0.8, 0.2, 0.7];
        let probabilities: Vec<f64> = second.iter().flat_map(|&second| [1.0 - second, second, 0.0]).collect();
        let predictions = Predictions::new(&[0, 1, 0, 0, 1], &probabilities, 3).unwrap();
        let found = KindFigures::of(&predictions, &[Modified, Modified, Modified, Added, Added]);
        let figures = |kind, examples, accuracy, macro_f1| KindFigures { kind, examples, accuracy, macro_f1 };
        // Of the modified ones label 0 has F1 2/3 and label 1 has 2/3; no pair has label 2.
        let expected = [figures(Added, 2, 1.0, 1.0), figures(Modified, 3, 2.0 / 3.0, 2.0 / 3.0)];
        assert_eq!(found, expected);
    }
}

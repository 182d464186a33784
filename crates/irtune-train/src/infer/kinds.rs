//! How good a model is on pairs that add, delete and modify text.

use irtune_data::PairKind;
use irtune_metrics::Predictions;
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
    /// Share of right answers.
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
        let figures = PairKind::VARIANTS.iter().filter_map(|&kind| {
            let answers = predictions.labels().iter().zip(predictions.predicted()).zip(kinds);
            let own: Vec<(usize, usize)> = answers
                .filter(|(_, of)| **of == kind)
                .map(|((&label, &predicted), _)| (label, predicted))
                .collect();
            (!own.is_empty()).then(|| KindFigures {
                kind,
                examples: own.len(),
                accuracy: own.iter().filter(|(label, predicted)| label == predicted).count() as f64
                    / own.len() as f64,
                macro_f1: macro_f1(&own, predictions.classes()),
            })
        });
        figures.collect()
    }
}

/// Mean F1 over the true labels of answers.
fn macro_f1(answers: &[(usize, usize)], classes: usize) -> f64 {
    let f1 = |class: usize| {
        let count =
            |holds: &dyn Fn(&(usize, usize)) -> bool| answers.iter().filter(|answer| holds(answer)).count();
        let support = count(&|(label, _)| *label == class);
        let sum = support + count(&|(_, predicted)| *predicted == class);
        let right = count(&|(label, predicted)| *label == class && *predicted == class);
        (support > 0).then(|| 2.0 * right as f64 / sum as f64)
    };
    let of_labels: Vec<f64> = (0..classes).filter_map(f1).collect();
    of_labels.iter().sum::<f64>() / of_labels.len() as f64
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

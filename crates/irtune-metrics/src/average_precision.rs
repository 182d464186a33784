//! Area under the precision-recall curve, as average precision.

use crate::Predictions;

/// The examples of a prediction ranked by the probability of each class, most probable first.
///
/// Made once, it gives the average precision of every reweighting of the examples in one pass.
#[derive(Debug, Clone)]
pub struct Rankings {
    classes: Vec<Vec<Ranked>>,
}

#[derive(Debug, Clone, Copy)]
struct Ranked {
    example: usize,
    positive: bool,
    /// Whether the next example is less probable, so that a threshold can lie behind this one.
    last_of_tie: bool,
}

impl Rankings {
    /// Ranks all examples for every class.
    pub fn of(predictions: &Predictions) -> Rankings {
        Rankings::by(
            predictions.examples(),
            predictions.classes(),
            |example, class| predictions.probability(example, class),
            |example, class| predictions.labels()[example] == class,
        )
    }

    /// The same by the probability of an example's class, and by whether the example is of it.
    pub(crate) fn by(
        examples: usize,
        classes: usize,
        probability: impl Fn(usize, usize) -> f64,
        positive: impl Fn(usize, usize) -> bool,
    ) -> Rankings {
        let rank = |class| {
            let probability = |example| probability(example, class);
            let mut order: Vec<usize> = (0..examples).collect();
            order.sort_by(|&a, &b| probability(b).total_cmp(&probability(a)));
            let ranked = order.iter().enumerate().map(|(rank, &example)| Ranked {
                example,
                positive: positive(example, class),
                last_of_tie: order
                    .get(rank + 1)
                    .is_none_or(|&next| probability(next) != probability(example)),
            });
            ranked.collect()
        };
        Rankings { classes: (0..classes).map(rank).collect() }
    }

    /// Classes.
    pub(crate) fn classes(&self) -> usize {
        self.classes.len()
    }

    /// Average precision of one class against the rest: the sum, over the thresholds, of the gain in recall times
    /// the precision; 0 for a class without examples.
    ///
    /// # Shapes
    /// `weights` `[examples]`.
    pub fn average_precision(&self, class: usize, weights: &[u32]) -> f64 {
        let ranked = &self.classes[class];
        let weight = |entry: &Ranked| u64::from(weights[entry.example]);
        let positives: u64 = ranked.iter().filter(|entry| entry.positive).map(weight).sum();
        if positives == 0 {
            return 0.0;
        }
        let (mut found, mut seen, mut found_before, mut area) = (0, 0, 0, 0.0);
        for entry in ranked {
            seen += weight(entry);
            found += if entry.positive { weight(entry) } else { 0 };
            if entry.last_of_tie && found > found_before {
                area += (found - found_before) as f64 * (found as f64 / seen as f64);
                found_before = found;
            }
        }
        area / positives as f64
    }
}

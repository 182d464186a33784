//! Whether one prediction is right more often than another on the same examples.

use serde::{Deserialize, Serialize};

use crate::Predictions;

/// Below so many discordant examples the exact test is made, from there on its mid-p variant.
const EXACT_BELOW: u64 = 25;

/// McNemar's test: among the examples on which exactly one of two predictions is right, each would be it as often as
/// the other, were both equally good.
///
/// # Source
/// McNemar 1947; the mid-p variant and when to take it: Fagerland, Lydersen & Laake 2013.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Examples that only the first gets right.
    pub only_first: u64,
    /// Examples that only the second gets right.
    pub only_second: u64,
    /// Two-sided p: exact where few examples are discordant, else mid-p.
    pub p: f64,
}

impl McNemar {
    /// Of two predictions of the same examples; `None` when their true labels differ.
    pub fn of(first: &Predictions, second: &Predictions) -> Option<McNemar> {
        if first.labels() != second.labels() {
            return None;
        }
        let right = |predictions: &Predictions, example: usize| {
            predictions.predicted()[example] == predictions.labels()[example]
        };
        let only = |one: &Predictions, other: &Predictions| {
            (0..one.examples()).filter(|&example| right(one, example) && !right(other, example)).count()
                as u64
        };
        Some(McNemar::of_counts(only(first, second), only(second, first)))
    }

    /// Of the counts of discordant examples.
    pub fn of_counts(only_first: u64, only_second: u64) -> McNemar {
        let discordant = only_first + only_second;
        let fewer = only_first.min(only_second);
        let exact = (2.0 * at_most(fewer, discordant)).min(1.0);
        let p = if discordant < EXACT_BELOW { exact } else { exact - probability(fewer, discordant) };
        // Equal counts are the middle itself, which no tail tells from.
        let p = if only_first == only_second { 1.0 } else { p };
        McNemar { only_first, only_second, p }
    }
}

/// Probability of `hits` heads in `tosses` of a fair coin.
fn probability(hits: u64, tosses: u64) -> f64 {
    let logarithm: f64 = (0..hits).map(|k| ((tosses - k) as f64).ln() - ((k + 1) as f64).ln()).sum::<f64>();
    (logarithm - tosses as f64 * std::f64::consts::LN_2).exp()
}

/// Probability of at most `hits` heads in `tosses` of a fair coin.
fn at_most(hits: u64, tosses: u64) -> f64 {
    // Downwards from the largest term, each from the one before it.
    let (mut term, mut sum) = (probability(hits, tosses), 0.0);
    for k in (0..=hits).rev() {
        sum += term;
        term *= k as f64 / (tosses - k + 1) as f64;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discordant_examples_are_counted() {
        let first = Predictions::new(&[0, 1, 1, 0], &[0.9, 0.1, 0.1, 0.9, 0.2, 0.8, 0.1, 0.9], 2).unwrap();
        let second = Predictions::new(&[0, 1, 1, 0], &[0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1], 2).unwrap();
        let test = McNemar::of(&first, &second).unwrap();
        assert_eq!((test.only_first, test.only_second), (2, 1));
        assert_eq!(test.p, 1.0);
        let other = Predictions::new(&[1, 1, 1, 0], &[0.5; 8], 2).unwrap();
        assert_eq!(McNemar::of(&first, &other), None);
    }

    #[test]
    fn nothing_discordant_tells_nothing() {
        assert_eq!(McNemar::of_counts(0, 0).p, 1.0);
        assert_eq!(McNemar::of_counts(40, 40).p, 1.0);
    }

    #[test]
    fn large_counts_stay_finite() {
        let p = McNemar::of_counts(30_000, 29_000).p;
        assert!((0.0..1e-4).contains(&p), "{p}");
        assert!(McNemar::of_counts(5000, 0).p >= 0.0);
    }
}

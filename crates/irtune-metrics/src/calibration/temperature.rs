//! The one number by which logits are divided so that probabilities are as sure as they are right.

use super::certainty::certainty_scale;
use crate::{Logits, softmax};

/// Temperatures that are looked for. What lies outside makes every answer certain, or none.
const LOWEST: f64 = 0.05;
const HIGHEST: f64 = 20.0;
/// Newton's method converges in a few steps; each of these at least halves the interval.
const MOST_STEPS: usize = 100;

/// The temperature with the lowest mean cross-entropy of `softmax(logits / temperature)`, between 0.05 and 20.
///
/// Outputs are made surer only as far as so many examples can show ([`certainty_scale`]). It is 1 where no temperature is
/// best: every true label has the highest output, so that the cross-entropy falls for ever as the temperature does, or
/// nothing depends on it.
///
/// # Source
/// Guo, Pleiss, Sun & Weinberger 2017, "On Calibration of Modern Neural Networks". The cross-entropy is convex in
/// the inverse temperature, whose derivative's root is found by Newton's method inside a shrinking interval.
pub fn temperature(logits: &Logits) -> f64 {
    let best = best(logits);
    if best >= 1.0 {
        return best;
    }
    let sharpened: Vec<f64> =
        logits.rows().flat_map(|(_, row)| row.iter().map(|value| value / best)).collect();
    (best / certainty_scale(&sharpened, logits.classes())).min(1.0)
}

/// The one with the lowest mean cross-entropy, however sure it makes the answers.
fn best(logits: &Logits) -> f64 {
    let all_right = logits.rows().all(|(label, row)| row.iter().all(|&value| value <= row[label]));
    if all_right {
        return 1.0;
    }
    let (mut low, mut high) = (1.0 / HIGHEST, 1.0 / LOWEST);
    if derivatives(logits, high).0 <= 0.0 {
        return LOWEST;
    }
    if derivatives(logits, low).0 >= 0.0 {
        return HIGHEST;
    }
    let mut inverse: f64 = 1.0;
    for _ in 0..MOST_STEPS {
        let (first, second) = derivatives(logits, inverse);
        if first == 0.0 {
            break;
        }
        let end = if first < 0.0 { &mut low } else { &mut high };
        *end = inverse;
        let newton = inverse - first / second;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - inverse).abs() <= 1e-12 * inverse {
            break;
        }
        inverse = next;
    }
    1.0 / inverse
}

/// First and second derivative of the mean cross-entropy by the inverse temperature: the mean over the examples of
/// the expected output less that of the true label, and of the output's variance, under the tempered probabilities.
fn derivatives(logits: &Logits, inverse: f64) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    let mut scaled = Vec::with_capacity(logits.classes());
    for (label, row) in logits.rows() {
        scaled.clear();
        scaled.extend(row.iter().map(|value| value * inverse));
        let probabilities = softmax(&scaled);
        // Around the true label's output, so that large outputs lose no digits.
        let away = |value: &f64| value - row[label];
        let mean: f64 = row.iter().zip(&probabilities).map(|(value, share)| share * away(value)).sum();
        let squares =
            row.iter().zip(&probabilities).map(|(value, share)| share * (away(value) - mean).powi(2));
        second += squares.sum::<f64>();
        first += mean;
    }
    let examples = logits.examples() as f64;
    (first / examples, second / examples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mean_loss;

    fn made_up(examples: usize, scale: f64) -> (Vec<u32>, Vec<f64>) {
        let labels: Vec<u32> = (0..examples as u32).map(|example| example * 7 % 3).collect();
        let noise = |at: usize| ((at * at * 31 + at * 17) % 101) as f64 / 50.0 - 1.0;
        let value = |at: usize| noise(at) + if labels[at / 3] as usize == at % 3 { 0.5 } else { 0.0 };
        (labels.clone(), (0..examples * 3).map(|at| scale * value(at)).collect())
    }

    #[test]
    fn the_derivatives_are_those_of_the_cross_entropy() {
        let (labels, values) = made_up(40, 2.0);
        let logits = Logits::new(&labels, &values, 3).unwrap();
        let loss = |inverse: f64| {
            let scaled: Vec<f64> = values.iter().map(|value| value * inverse).collect();
            mean_loss(&scaled, &labels, 3)
        };
        for inverse in [0.2, 0.7, 1.5] {
            let step = 1e-4;
            let (first, second) = derivatives(&logits, inverse);
            let (below, here, above) = (loss(inverse - step), loss(inverse), loss(inverse + step));
            assert!(((above - below) / (2.0 * step) - first).abs() < 1e-7);
            assert!(((above - 2.0 * here + below) / (step * step) - second).abs() < 1e-5);
        }
    }

    #[test]
    fn no_temperature_near_is_better() {
        let (labels, values) = made_up(60, 3.0);
        let best = temperature(&Logits::new(&labels, &values, 3).unwrap());
        let loss = |temperature: f64| {
            let scaled: Vec<f64> = values.iter().map(|value| value / temperature).collect();
            mean_loss(&scaled, &labels, 3)
        };
        assert!(best > 1.0, "{best}");
        assert!(loss(best) < loss(best * 1.001) && loss(best) < loss(best * 0.999));
    }

    #[test]
    fn it_scales_as_the_logits_do() {
        let of = |scale| {
            let (labels, values) = made_up(60, scale);
            temperature(&Logits::new(&labels, &values, 3).unwrap())
        };
        assert!((of(2.0) / of(1.0) - 2.0).abs() < 1e-9);
        // Beyond the ends it stays at them.
        assert_eq!(of(1e3), HIGHEST);
        assert_eq!(of(1e-3), LOWEST);
    }

    #[test]
    fn few_answers_that_are_nearly_all_right_make_none_certain() {
        // One answer is wrong by a hair, so that the lowest cross-entropy is at a low temperature.
        let (labels, values) = ([0, 1, 0], [0.6, 0.0, 0.0, 0.7, 0.0, 0.0001]);
        let logits = Logits::new(&labels, &values, 2).unwrap();
        assert!(best(&logits) < 0.1);
        let found = temperature(&logits);
        // Of three answers four in five may be claimed to be right on average.
        let claims = [0.6, 0.7, 0.0001].map(|value: f64| 1.0 / (1.0 + (-value / found).exp()));
        assert!((claims.iter().sum::<f64>() / 3.0 - 0.8).abs() < 1e-9, "{claims:?}");
        // Outputs that claim more by themselves stay as they are.
        let (labels, values) = ([0, 1, 0], [60.0, 0.0, 0.0, 70.0, 0.0, 0.0001]);
        assert!(temperature(&Logits::new(&labels, &values, 2).unwrap()) >= 1.0);
    }

    #[test]
    fn where_none_is_best_nothing_changes() {
        let of = |labels: &[u32], values: &[f64]| temperature(&Logits::new(labels, values, 2).unwrap());
        assert_eq!(of(&[0, 1], &[1.0, 0.0, 0.0, 2.0]), 1.0);
        assert_eq!(of(&[0, 1], &[0.5; 4]), 1.0);
        // Every answer is wrong: nothing is as good as no certainty.
        assert_eq!(of(&[1, 0], &[1.0, 0.0, 0.0, 2.0]), HIGHEST);
    }
}

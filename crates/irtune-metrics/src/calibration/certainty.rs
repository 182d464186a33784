//! How sure answers may be after so many labelled examples.

use crate::softmax;

/// Halvings of the interval in which a scale is looked for.
const HALVINGS: usize = 60;

/// What the answers may claim to be right with on average, when all of so many examples were answered right: one more
/// answer is expected to be wrong once in two more than these.
///
/// # Source
/// Laplace's rule of succession.
fn most_certain(examples: usize) -> f64 {
    1.0 - 1.0 / (examples as f64 + 2.0)
}

/// The largest number up to 1 that logits, `[examples, classes]`, can be multiplied by so that their answers claim no more
/// than so many examples can show.
///
/// Where some answers are wrong, the logits with the lowest cross-entropy claim about as much as is right, which is less;
/// so the number is 1. Where all are right, the cross-entropy falls for ever as logits grow, and nothing else bounds them.
pub fn certainty_scale(logits: &[f64], classes: usize) -> f64 {
    let examples = logits.len() / classes.max(1);
    let claims = |scale: f64| {
        let highest = |row: &[f64]| {
            let scaled: Vec<f64> = row.iter().map(|value| scale * value).collect();
            softmax(&scaled).into_iter().fold(0.0, f64::max)
        };
        logits.chunks_exact(classes).map(highest).sum::<f64>() / examples as f64
    };
    let most = most_certain(examples);
    if classes < 2 || examples == 0 || claims(1.0) <= most {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        let end = if claims(middle) > most { &mut high } else { &mut low };
        *end = middle;
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_examples_allow_little_certainty_and_unsure_answers_stay() {
        let sure = [40.0, 0.0, 0.0, 30.0];
        let scale = certainty_scale(&sure, 2);
        let claims = [40.0, 30.0].map(|value: f64| 1.0 / (1.0 + (-scale * value).exp()));
        assert!((claims.iter().sum::<f64>() / 2.0 - 0.75).abs() < 1e-9, "{claims:?}");
        assert_eq!(certainty_scale(&[0.1, 0.0, 0.0, 0.2], 2), 1.0);
        // A hundred of the same may be surer.
        assert!(certainty_scale(&sure.repeat(50), 2) > 3.0 * scale);
        assert_eq!((certainty_scale(&[], 2), certainty_scale(&[5.0], 1)), (1.0, 1.0));
    }
}

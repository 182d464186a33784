//! Cross-entropy over a whole vocabulary, for a few rows: a language model's loss at one token each.
//!
//! Rows are many times longer than a classifier's, so each is a task. Sums are f64.

use irtune_device::Pick;

use super::activation::tanh;
use crate::{simd::vectorised, threads::parallel};

/// Logarithm of the sum of the exponentials of every row.
///
/// # Shapes
/// `logits`: `[rows, columns]`; `out`: `[rows]`, overwritten.
pub fn logsumexp(logits: &[f32], columns: usize, out: &mut [f64]) {
    assert_eq!(logits.len(), out.len() * columns, "shape of the logits");
    parallel::for_each_chunk(out, 1, |row, out| {
        let logits = &logits[row * columns..][..columns];
        let largest = f64::from(logits.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b)));
        let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum();
        out[0] = largest + sum.ln();
    });
}

/// Bends logits to stay below a cap: `cap · tanh(logit / cap)`.
pub fn cap(logits: &mut [f32], cap: f32) {
    const CHUNK: usize = 16 * 1024;
    parallel::for_each_chunk(logits, CHUNK, |_, logits| cap_range(logits, cap));
}

vectorised! {
    fn cap_range(logits: &mut [f32], cap: f32) {
        for logit in logits {
            *logit = cap * tanh(*logit / cap);
        }
    }
}

/// Turns logits into the gradient of `Σ factor · share · (logsumexp − logit of the token)` over the rows. Where the
/// logits were bent to stay below a cap it is the gradient of the logits as they were, `1 − (logit / cap)²` times that.
///
/// # Shapes
/// `logits`: `[rows, columns]`; `logsumexp` (from [`logsumexp`]), `picks`: `[rows]`.
///
/// # Panics
/// When a token is not below `columns`.
pub fn gradient(
    logits: &mut [f32],
    columns: usize,
    logsumexp: &[f64],
    picks: &[Pick],
    factor: f64,
    cap: Option<f32>,
) {
    let rows = picks.len();
    assert!(logsumexp.len() == rows && logits.len() == rows * columns, "rows");
    parallel::for_each_chunk(logits, columns, |first, logits| {
        let row = first / columns;
        let (token, factor) = (picks[row].token as usize, factor * picks[row].share);
        assert!(token < columns, "token {token} of {columns}");
        let slope = |logit: f64| cap.map_or(1.0, |cap| 1.0 - (logit / f64::from(cap)).powi(2));
        let right = f64::from(logits[token]);
        for logit in logits.iter_mut() {
            let value = f64::from(*logit);
            *logit = (factor * (value - logsumexp[row]).exp() * slope(value)) as f32;
        }
        logits[token] = (factor * ((right - logsumexp[row]).exp() - 1.0) * slope(right)) as f32;
    });
}

#[cfg(test)]
mod tests {
    use irtune_device::{LossOptions, Targets};

    use super::*;
    use crate::ops::loss::cross_entropy;

    #[test]
    fn the_gradient_under_a_cap_is_that_of_finite_differences() {
        const CAP: f32 = 2.0;
        let start: Vec<f32> = (0..9).map(|at| ((at * 5 % 7) as f32 - 3.0) * 0.9).collect();
        let pick = Pick { row: 0, token: 4, share: 1.0 };
        let loss = |logits: &[f32]| {
            let (mut bent, mut sums) = (logits.to_vec(), [0.0]);
            cap(&mut bent, CAP);
            assert!(bent.iter().all(|logit| logit.abs() < CAP));
            logsumexp(&bent, 9, &mut sums);
            (sums[0] - f64::from(bent[4]), bent, sums)
        };
        let (_, mut gradient_found, sums) = loss(&start);
        gradient(&mut gradient_found, 9, &sums, &[pick], 1.0, Some(CAP));
        for (at, found) in gradient_found.iter().enumerate() {
            let [low, high] = [-1.0f32 / 128.0, 1.0 / 128.0].map(|step| {
                let mut logits = start.clone();
                logits[at] += step;
                (f64::from(logits[at]), loss(&logits).0)
            });
            let expected = (high.1 - low.1) / (high.0 - low.0);
            assert!((f64::from(*found) - expected).abs() < 1e-4, "{at}: {found} {expected}");
        }
    }

    #[test]
    fn they_are_the_classifiers_cross_entropy_row_by_row() {
        let (columns, targets) = (37, [5, 0, 36]);
        let logits: Vec<f32> = (0..3 * columns).map(|at| ((at * 31 % 17) as f32 - 8.0) * 3.0).collect();
        let factors = [0.5, 2.0, 0.125];
        let mut sums = [0.0; 3];
        logsumexp(&logits, columns, &mut sums);
        let mut found = logits.clone();
        let pick = |row: usize| Pick { row: row as u32, token: targets[row], share: 2.0 * factors[row] };
        gradient(&mut found, columns, &sums, &[0, 1, 2].map(pick), 0.5, None);
        for row in 0..3 {
            let one = &logits[row * columns..][..columns];
            let mut expected = vec![0.0; columns];
            let loss = cross_entropy(
                one,
                Targets::Classes(&targets[row..=row]),
                columns,
                &LossOptions::default(),
                factors[row],
                &mut expected,
            );
            assert!((sums[row] - f64::from(one[targets[row] as usize]) - loss).abs() < 1e-12);
            for (found, expected) in found[row * columns..][..columns].iter().zip(&expected) {
                assert!((found - expected).abs() <= 1e-7 * expected.abs().max(1e-3), "{found} {expected}");
            }
        }
    }

    #[test]
    fn extreme_logits_stay_finite() {
        let mut sums = [0.0; 2];
        logsumexp(&[3e38, -3e38, 1e38, -3e38, -3e38, -3e38], 3, &mut sums);
        assert!((sums[0] / 3e38 - 1.0).abs() < 1e-6);
        assert!((sums[1] / -3e38 - 1.0).abs() < 1e-6);
    }
}

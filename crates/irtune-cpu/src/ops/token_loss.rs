//! Cross-entropy over a whole vocabulary, for a few rows: a language model's loss at one token each.
//!
//! Rows are many times longer than a classifier's, so each is a task. Sums are f64.

use irtune_device::Pick;

use crate::threads::parallel;

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

/// Turns logits into the gradient of `Σ factor · share · (logsumexp − logit of the token)` over the rows.
///
/// # Shapes
/// `logits`: `[rows, columns]`; `logsumexp` (from [`logsumexp`]), `picks`: `[rows]`.
///
/// # Panics
/// When a token is not below `columns`.
pub fn gradient(logits: &mut [f32], columns: usize, logsumexp: &[f64], picks: &[Pick], factor: f64) {
    let rows = picks.len();
    assert!(logsumexp.len() == rows && logits.len() == rows * columns, "rows");
    parallel::for_each_chunk(logits, columns, |first, logits| {
        let row = first / columns;
        let (token, factor) = (picks[row].token as usize, factor * picks[row].share);
        assert!(token < columns, "token {token} of {columns}");
        let right = f64::from(logits[token]);
        for logit in logits.iter_mut() {
            *logit = (factor * (f64::from(*logit) - logsumexp[row]).exp()) as f32;
        }
        logits[token] = (factor * ((right - logsumexp[row]).exp() - 1.0)) as f32;
    });
}

#[cfg(test)]
mod tests {
    use irtune_device::{LossOptions, Targets};

    use super::*;
    use crate::ops::loss::cross_entropy;

    #[test]
    fn they_are_the_classifiers_cross_entropy_row_by_row() {
        let (columns, targets) = (37, [5, 0, 36]);
        let logits: Vec<f32> = (0..3 * columns).map(|at| ((at * 31 % 17) as f32 - 8.0) * 3.0).collect();
        let factors = [0.5, 2.0, 0.125];
        let mut sums = [0.0; 3];
        logsumexp(&logits, columns, &mut sums);
        let mut found = logits.clone();
        let pick = |row: usize| Pick { row: row as u32, token: targets[row], share: 2.0 * factors[row] };
        gradient(&mut found, columns, &sums, &[0, 1, 2].map(pick), 0.5);
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

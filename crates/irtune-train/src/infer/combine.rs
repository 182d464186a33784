//! The answers of a decoder and of a linear model as one.

use irtune_linear::{Answers, Stack};
use irtune_metrics::log_softmax;

/// Logarithms of the probabilities of logits, `[pairs, labels]`.
pub(crate) fn log_probabilities(logits: &[f32], labels: usize) -> Vec<f64> {
    let mut logs: Vec<f64> = logits.iter().copied().map(f64::from).collect();
    logs.chunks_exact_mut(labels).for_each(log_softmax);
    logs
}

/// A decoder's logits and a linear model's log-probabilities, combined to logits; all `[pairs, labels]`.
pub(crate) fn combined(stack: &Stack, logits: &[f32], linear: &[f64], labels: usize) -> Vec<f32> {
    let first = log_probabilities(logits, labels);
    let answers = Answers { first: &first, second: linear, labels };
    stack.log_probabilities(answers).into_iter().map(|log| log as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_metrics::softmax;

    #[test]
    fn a_label_that_is_ruled_out_keeps_a_finite_logarithm() {
        let logs = log_probabilities(&[0.0, 2000.0], 2);
        assert!(logs[0].is_finite() && logs[0] < -700.0 && logs[1] == 0.0);
        let stack = Stack { first: 0.0, second: 1.0, offsets: vec![0.0, 0.0] };
        let linear = [0.25f64.ln(), 0.75f64.ln()];
        let logits = combined(&stack, &[0.0, 2000.0], &linear, 2);
        assert!((softmax(&logits)[0] - 0.25).abs() < 1e-7);
    }
}

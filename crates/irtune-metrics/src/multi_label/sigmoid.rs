//! From an output to the probability of its own label.

/// `1 / (1 + e^−x)`.
pub fn sigmoid(logit: f64) -> f64 {
    let small = (-logit.abs()).exp();
    if logit >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

/// The mean binary cross-entropy of outputs: over all of them of the negative logarithm of the sigmoid for a label that is
/// there, of its complement for one that is not.
///
/// # Shapes
/// `logits`, `truth`: `[examples, labels]`.
pub fn mean_binary_loss<T: Copy + Into<f64>>(logits: &[T], truth: &[bool]) -> f64 {
    let losses = logits.iter().zip(truth).map(|(&logit, &has)| {
        let logit: f64 = logit.into();
        let wrong = if has { -logit } else { logit };
        wrong.max(0.0) + (-wrong.abs()).exp().ln_1p()
    });
    losses.sum::<f64>() / truth.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_one_of_two_classes_whatever_the_size() {
        for logit in [0.0, 1.5, -2.0, 40.0, -800.0] {
            let both = crate::softmax(&[0.0, logit]);
            assert!((sigmoid(logit) - both[1]).abs() <= 1e-15 * both[1].max(1e-300));
            let loss = (crate::mean_loss(&[0.0, logit], &[1], 2), mean_binary_loss(&[logit], &[true]));
            assert!((loss.0 - loss.1).abs() <= 1e-12 * loss.0.max(1.0), "{logit} {loss:?}");
        }
        assert_eq!(sigmoid(0.0), 0.5);
        let loss = mean_binary_loss(&[1.0f32, -1.0], &[false, true]);
        assert!((loss - (1.0 + (-1f64).exp().ln_1p())).abs() < 1e-15);
    }
}

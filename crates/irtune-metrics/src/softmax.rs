//! From a model's outputs to probabilities.

/// The probabilities of one example's labels.
///
/// # Shapes
/// `logits` and the result `[classes]`.
pub fn softmax<T: Copy + Into<f64>>(logits: &[T]) -> Vec<f64> {
    let highest = highest(logits);
    let exponentials: Vec<f64> = logits.iter().map(|&logit| (logit.into() - highest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

/// Makes one example's logits the logarithms of its labels' probabilities.
///
/// # Shapes
/// `logits` `[classes]`.
pub fn log_softmax(logits: &mut [f64]) {
    let highest = highest(logits);
    let sum: f64 = logits.iter().map(|logit| (logit - highest).exp()).sum();
    let normaliser = highest + sum.ln();
    logits.iter_mut().for_each(|logit| *logit -= normaliser);
}

/// The mean cross-entropy of examples, which is the mean negative logarithm of the true labels' probabilities.
///
/// # Shapes
/// `logits` `[targets, labels]`, row-major.
pub fn mean_loss<T: Copy + Into<f64>>(logits: &[T], targets: &[u32], labels: usize) -> f64 {
    let losses = logits.chunks_exact(labels).zip(targets).map(|(row, &target)| {
        let highest = highest(row);
        let sum: f64 = row.iter().map(|&logit| (logit.into() - highest).exp()).sum();
        sum.ln() + highest - row[target as usize].into()
    });
    losses.sum::<f64>() / targets.len() as f64
}

fn highest<T: Copy + Into<f64>>(logits: &[T]) -> f64 {
    logits.iter().fold(f64::NEG_INFINITY, |highest, &logit| highest.max(logit.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_whatever_the_size_of_the_logits() {
        for logits in [[0.0f32, 0.0, 0.0], [1e4, -1e4, 0.0], [-3e38, 1.0, 2.0]] {
            let probabilities = softmax(&logits);
            assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
        assert_eq!(softmax(&[7.0, 7.0]), [0.5, 0.5]);
    }

    #[test]
    fn the_loss_is_minus_the_logarithm_of_the_right_labels_probability() {
        let logits = [0.3f32, -1.2, 2.0, 0.0, 5.0, -5.0];
        let targets = [1, 0];
        let expected = -(softmax(&logits[..3])[1].ln() + softmax(&logits[3..])[0].ln()) / 2.0;
        assert!((mean_loss(&logits, &targets, 3) - expected).abs() < 1e-12);
        assert!((mean_loss(&[0.0, 0.0], &[1], 2) - 2f64.ln()).abs() < 1e-15);
    }
}

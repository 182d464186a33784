//! Running a model over examples and measuring its answers.

use irtune_data::Example;
use irtune_model::{BatchError, Engine, ModelError, PackedBatch, shared_prefix};
use std::sync::atomic::{AtomicBool, Ordering};

/// Logits of examples, computed `batch_size` at a time; `None` when interrupted between two batches.
///
/// Packed batches have no padding, so examples need not be sorted by length to be fast.
///
/// # Shapes
/// The result is `[examples, labels]`, row-major.
///
/// # Errors
/// When examples can't be packed or the engine fails.
pub fn logits(
    engine: &mut dyn Engine,
    examples: &[Example],
    batch_size: usize,
    interrupt: &AtomicBool,
) -> Result<Option<Vec<f32>>, ModelError> {
    let mut all = Vec::with_capacity(examples.len() * engine.labels());
    let mut batch_logits = Vec::new();
    for batch in examples.chunks(batch_size) {
        if interrupt.load(Ordering::Relaxed) {
            return Ok(None);
        }
        engine.logits(&pack(batch)?, &mut batch_logits)?;
        all.extend_from_slice(&batch_logits);
    }
    Ok(Some(all))
}

/// Packs examples by the prefix they share.
pub(crate) fn pack(examples: &[impl AsRef<[u32]>]) -> Result<PackedBatch, BatchError> {
    PackedBatch::pack(examples, shared_prefix(examples))
}

/// Probabilities of one example's labels.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let highest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let exponentials: Vec<f64> = logits.iter().map(|logit| (f64::from(*logit) - highest).exp()).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.into_iter().map(|value| value / sum).collect()
}

/// Mean cross-entropy of examples.
///
/// # Shapes
/// `logits` is `[targets, labels]`, row-major.
pub fn mean_loss(logits: &[f32], targets: &[u32], labels: usize) -> f64 {
    let losses = logits.chunks_exact(labels).zip(targets).map(|(row, &target)| {
        let highest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = row.iter().map(|logit| (f64::from(*logit) - highest).exp()).sum();
        sum.ln() + highest - f64::from(row[target as usize])
    });
    losses.sum::<f64>() / targets.len() as f64
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

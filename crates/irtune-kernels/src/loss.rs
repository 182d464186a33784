//! Unweighted cross-entropy of a few classes, forward and backward in one pass, in f64 between f32 ends.

/// Sum over the examples of the cross-entropy of their target; `gradient` becomes that of the sum times `factor`.
///
/// # Shapes
/// `logits`, `gradient`: `[examples, classes]`; `targets`: `[examples]`.
///
/// # Panics
/// When a target is not below `classes`.
pub fn cross_entropy(
    logits: &[f32],
    targets: &[u32],
    classes: usize,
    factor: f64,
    gradient: &mut [f32],
) -> f64 {
    assert!(logits.len() == targets.len() * classes && gradient.len() == logits.len(), "shapes of the loss");
    let rows = logits.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes)).zip(targets);
    rows.map(|((logits, gradient), &target)| {
        assert!((target as usize) < classes, "target {target} of {classes}");
        let largest = logits.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        let shifted = |logit: f32| f64::from(logit) - f64::from(largest);
        let total: f64 = logits.iter().map(|&logit| shifted(logit).exp()).sum();
        for (class, (gradient, &logit)) in gradient.iter_mut().zip(logits).enumerate() {
            let probability = shifted(logit).exp() / total;
            *gradient = (factor * (probability - f64::from(u8::from(class == target as usize)))) as f32;
        }
        total.ln() - shifted(logits[target as usize])
    })
    .sum()
}

/// Adds `leftᵀ · right` to `out`: the gradient of a small head.
///
/// # Shapes
/// `left`: `[examples, rows]`; `right`: `[examples, columns]`; `out`: `[rows, columns]`.
pub fn add_outer(left: &[f32], right: &[f32], rows: usize, columns: usize, out: &mut [f32]) {
    for (left, right) in left.chunks_exact(rows).zip(right.chunks_exact(columns)) {
        for (&factor, out) in left.iter().zip(out.chunks_exact_mut(columns)) {
            for (out, value) in out.iter_mut().zip(right) {
                *out += factor * value;
            }
        }
    }
}

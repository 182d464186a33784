//! Cross-entropy of a few classes, or of a few labels of which an example may have several, forward and backward at once.
//!
//! Logits and gradients are f32, and what lies between is f64. Classes are few, so it runs on one thread.

use irtune_device::{LossOptions, Targets};

/// Sum over the examples of the cross-entropy of their target. `gradient` becomes that of the sum, times `factor`.
///
/// With class weights w and label smoothing ε the loss of an example in which class c of K has the share t_c is
/// `−Σ_c w_c ((1 − ε) t_c + ε/K) log p_c`; a class y as the target has the whole share. A mean over examples divides by the
/// sum of their w_y where targets are classes, and by their number where targets are distributions.
///
/// Where targets are labels, an example's loss is the sum over them of `−w_c t_c log σ(x_c) − (1 − t_c) log(1 − σ(x_c))`. A
/// mean divides by the number of examples times that of labels, whatever the weights.
///
/// # Shapes
/// `logits`, `gradient`: `[examples, classes]`; class weights: `[classes]`.
///
/// # Panics
/// When a target class is not below `classes`, there is another number of class weights, or labels are to be smoothed.
///
/// # Source
/// `torch.nn.CrossEntropyLoss` of PyTorch 2.15 (`cross_entropy_loss_label_smoothing` and `cross_entropy_loss_prob_target` in
/// `LossNLL.cpp`); for labels `torch.nn.BCEWithLogitsLoss`, whose `pos_weight` the weights are.
pub fn cross_entropy(
    logits: &[f32],
    targets: Targets<'_>,
    classes: usize,
    options: &LossOptions,
    factor: f64,
    gradient: &mut [f32],
) -> f64 {
    let examples = targets.examples(classes);
    assert!(logits.len() == examples * classes && gradient.len() == logits.len(), "shapes of the loss");
    if let Targets::Classes(targets) = targets {
        assert!(targets.iter().all(|&target| (target as usize) < classes), "a target of {classes} classes");
    }
    assert!(options.class_weights.as_ref().is_none_or(|weights| weights.len() == classes), "class weights");
    if let Targets::Labels(targets) = targets {
        assert!(options.label_smoothing == 0.0, "labels of which there may be several are not smoothed");
        return binary(logits, targets, options, factor, gradient);
    }
    let spread = options.label_smoothing / classes as f64;
    let rows = logits.chunks_exact(classes).zip(gradient.chunks_exact_mut(classes));
    rows.enumerate()
        .map(|(example, (logits, gradient))| {
            // The share of the target that falls to a class.
            let share = |class: usize| {
                let own = (1.0 - options.label_smoothing) * targets.share(example, class, classes);
                options.weight(class) * (own + spread)
            };
            let shares: f64 = (0..classes).map(share).sum();
            let largest = logits.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            let shifted = |logit: f32| f64::from(logit) - f64::from(largest);
            let total: f64 = logits.iter().map(|&logit| shifted(logit).exp()).sum();
            for (class, (gradient, &logit)) in gradient.iter_mut().zip(logits).enumerate() {
                let probability = shifted(logit).exp() / total;
                *gradient = (factor * (shares * probability - share(class))) as f32;
            }
            // A class without a share is left out: 0 times an infinite loss is not a number.
            let counted = logits.iter().enumerate().filter(|&(class, _)| share(class) > 0.0);
            counted.map(|(class, &logit)| share(class) * (total.ln() - shifted(logit))).sum::<f64>()
        })
        .sum()
}

/// The sum over all logits of the binary cross-entropy of their sigmoids.
fn binary(logits: &[f32], targets: &[f32], options: &LossOptions, factor: f64, gradient: &mut [f32]) -> f64 {
    let classes = options.class_weights.as_ref().map_or(1, Vec::len);
    let values = logits.iter().zip(targets).zip(gradient).enumerate();
    let losses = values.map(|(index, ((&logit, &target), gradient))| {
        let (logit, target) = (f64::from(logit), f64::from(target));
        // What log σ and log(1 − σ) count.
        let (has, lacks) = (options.weight(index % classes) * target, 1.0 - target);
        // σ(x) and 1 − σ(x) are quotients by 1 + e^−|x|, so that neither is lost beside 1.
        let small = (-logit.abs()).exp();
        let (above, below) = if logit >= 0.0 { (1.0, small) } else { (small, 1.0) };
        *gradient = (factor * (lacks * above - has * below) / (1.0 + small)) as f32;
        let logarithm = small.ln_1p();
        has * (logarithm + (-logit).max(0.0)) + lacks * (logarithm + logit.max(0.0))
    });
    losses.sum()
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

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: Targets<'_> = Targets::Classes(&[1, 0, 3]);
    const SHARES: Targets<'_> =
        Targets::Distributions(&[0.5, 0.25, 0.25, 0.0, 0.0, 1.0, 0.0, 0.0, 0.1, 0.2, 0.3, 0.4]);

    fn logits() -> Vec<f32> {
        (0..12).map(|index| ((index * 7 % 11) as f32 - 5.0) * 0.4).collect()
    }

    fn every_option() -> [LossOptions; 4] {
        let class_weights = Some(vec![0.5, 2.0, 1.25, 0.1]);
        [
            LossOptions::default(),
            LossOptions { class_weights: class_weights.clone(), label_smoothing: 0.0 },
            LossOptions { class_weights: None, label_smoothing: 0.3 },
            LossOptions { class_weights, label_smoothing: 0.3 },
        ]
    }

    /// The gradient is that of finite differences.
    fn assert_slopes(targets: Targets<'_>, options: &LossOptions) {
        let mut gradient = vec![0.0; 12];
        cross_entropy(&logits(), targets, 4, options, 0.5, &mut gradient);
        for index in 0..12 {
            let at = |step: f32| {
                let mut logits = logits();
                logits[index] += step;
                cross_entropy(&logits, targets, 4, options, 1.0, &mut [0.0; 12])
            };
            let step = 1.0 / 1024.0;
            let expected = 0.5 * (at(step) - at(-step)) / (2.0 * f64::from(step));
            let found = f64::from(gradient[index]);
            assert!((found - expected).abs() < 1e-6, "{options:?} {index}: {found} {expected}");
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        for (options, targets) in
            every_option().into_iter().flat_map(|options| [(options.clone(), CLASSES), (options, SHARES)])
        {
            assert_slopes(targets, &options);
        }
    }

    #[test]
    fn gradients_of_several_labels_are_those_of_finite_differences() {
        let targets = Targets::Labels(&[1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
        for options in every_option().into_iter().filter(|options| options.label_smoothing == 0.0) {
            assert_slopes(targets, &options);
        }
    }

    #[test]
    fn a_label_is_one_of_two_classes() {
        // A logit beside 0 as a softmax of two: extreme ones lose nothing.
        for (logit, target) in [(1.5f32, 1.0f32), (-2.0, 0.0), (60.0, 0.0), (-700.0, 1.0), (0.0, 1.0)] {
            let (mut one, mut two) = ([0.0], [0.0; 2]);
            let options = LossOptions::default();
            let found = cross_entropy(&[logit], Targets::Labels(&[target]), 1, &options, 1.0, &mut one);
            let class = [target as u32];
            let both = cross_entropy(&[0.0, logit], Targets::Classes(&class), 2, &options, 1.0, &mut two);
            assert!((found - both).abs() <= 1e-12 * both.max(1.0), "{logit} {target}: {found} {both}");
            assert!((one[0] - two[1]).abs() <= 1e-7, "{logit} {target}: {one:?} {two:?}");
        }
    }

    #[test]
    fn weights_of_one_and_no_smoothing_change_no_bit() {
        let ones = LossOptions { class_weights: Some(vec![1.0; 4]), label_smoothing: 0.0 };
        let of = |options: &LossOptions| {
            let mut gradient = vec![0.0; 12];
            (cross_entropy(&logits(), CLASSES, 4, options, 0.7, &mut gradient), gradient)
        };
        assert_eq!(of(&ones), of(&LossOptions::default()));
    }

    #[test]
    fn a_whole_share_is_a_class_to_the_bit() {
        let shares = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        for options in every_option() {
            let of = |targets| {
                let mut gradient = vec![0.0; 12];
                (cross_entropy(&logits(), targets, 4, &options, 0.7, &mut gradient), gradient)
            };
            assert_eq!(of(CLASSES), of(Targets::Distributions(&shares)), "{options:?}");
        }
    }

    #[test]
    fn an_impossible_class_that_has_no_share_is_no_matter() {
        let logits = [0.0, f32::NEG_INFINITY];
        let mut gradient = [0.0; 2];
        let loss =
            cross_entropy(&logits, Targets::Classes(&[0]), 2, &LossOptions::default(), 1.0, &mut gradient);
        assert_eq!((loss, gradient), (0.0, [0.0, 0.0]));
    }
}

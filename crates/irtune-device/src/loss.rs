//! Classification heads and losses.

use crate::Memory;

/// How the loss counts classes; by default all alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LossOptions {
    /// What each class counts, above 0; 1 for all when not given.
    pub class_weights: Option<Vec<f64>>,
    /// Share of the target that is spread evenly over all classes: 0 or more and less than 1.
    pub label_smoothing: f64,
}

impl LossOptions {
    /// What an example of a class counts in a mean.
    pub fn weight(&self, class: usize) -> f64 {
        self.class_weights.as_ref().and_then(|weights| weights.get(class)).copied().unwrap_or(1.0)
    }
}

/// Sizes of a classification head's product.
#[derive(Clone, Copy, Debug)]
pub struct HeadShape {
    /// Rows of the pooled states.
    pub examples: usize,
    /// Width of the pooled states.
    pub width: usize,
    /// Rows of the head.
    pub labels: usize,
}

/// Classification heads and losses.
pub trait Losses: Memory {
    /// `logits = pooled · headᵀ` in f32; `pooled`: `[examples, width]`, `head`: `[labels, width]`.
    fn head(&self, pooled: &Self::Floats, head: &Self::Floats, shape: HeadShape, logits: &mut Self::Floats);
    /// Gradients of [`Losses::head`]: of `pooled` (overwritten), and added to that of the head if there is one.
    fn head_backward(
        &self,
        pooled: &Self::Floats,
        head: &Self::Floats,
        shape: HeadShape,
        logits_gradient: &Self::Floats,
        pooled_gradient: &mut Self::Floats,
        head_gradient: Option<&mut Self::Floats>,
    );
    /// Sum of the examples' cross-entropies, counted as the options say; `gradient` becomes that of the sum times `factor`.
    fn cross_entropy(
        &self,
        logits: &Self::Floats,
        targets: &[u32],
        labels: usize,
        options: &LossOptions,
        factor: f64,
        gradient: &mut Self::Floats,
    ) -> f64;

    /// Logarithm of the sum of the exponentials of every row of `[rows, columns]` logits; `out`: `[rows]`.
    fn logsumexp(&self, logits: &Self::Floats, columns: usize, out: &mut [f64]);
    /// Turns `[rows, columns]` logits into the gradient of `Σ factor · (logsumexp − logit of the target)` over the rows.
    fn token_gradient(
        &self,
        logits: &mut Self::Floats,
        columns: usize,
        logsumexp: &[f64],
        targets: &[u32],
        factors: &[f64],
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_count_what_their_class_counts() {
        let weighted = LossOptions { class_weights: Some(vec![0.5, 2.0]), label_smoothing: 0.0 };
        assert_eq!((LossOptions::default().weight(1), weighted.weight(1)), (1.0, 2.0));
    }
}

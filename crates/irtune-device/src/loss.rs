//! Classification heads and losses.

use std::ops::Range;

use crate::{Memory, Slot};

/// How the loss counts classes; by default all alike.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LossOptions {
    /// What each class counts, above 0; 1 for all when not given. Where an example can have several labels, it is what
    /// having the label counts beside not having it.
    pub class_weights: Option<Vec<f64>>,
    /// Share of the target that is spread evenly over all classes: 0 or more and less than 1; 0 where an example can have
    /// several labels.
    pub label_smoothing: f64,
}

impl LossOptions {
    /// What an example of a class counts in a mean.
    pub fn weight(&self, class: usize) -> f64 {
        self.class_weights.as_ref().and_then(|weights| weights.get(class)).copied().unwrap_or(1.0)
    }
}

/// What examples should be told as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Targets<'a> {
    /// The class of each example, `[examples]`.
    Classes(&'a [u32]),
    /// The share of each class in each example, `[examples, classes]`.
    Distributions(&'a [f32]),
    /// 1 for each label that an example has, 0 for each that it has not, `[examples, labels]`: it may have several, or none.
    Labels(&'a [f32]),
}

impl Targets<'_> {
    /// How many examples there are of so many classes.
    pub fn examples(&self, classes: usize) -> usize {
        match self {
            Targets::Classes(targets) => targets.len(),
            Targets::Distributions(values) | Targets::Labels(values) => values.len() / classes,
        }
    }

    /// The share of a class in an example; of a label among several 1 or 0.
    pub fn share(&self, example: usize, class: usize, classes: usize) -> f64 {
        match self {
            Targets::Classes(targets) => f64::from(u8::from(targets[example] as usize == class)),
            Targets::Distributions(values) | Targets::Labels(values) => {
                f64::from(values[example * classes + class])
            }
        }
    }
}

/// Sizes of a classification head.
#[derive(Clone, Copy, Debug)]
pub struct HeadShape {
    /// Rows of the pooled states.
    pub examples: usize,
    /// Width of the pooled states.
    pub width: usize,
    /// Rows of the head.
    pub labels: usize,
}

/// What a cross-entropy is computed of, beside the logits.
pub struct CrossEntropy<'a, D: Memory + ?Sized> {
    /// The batch with its targets.
    pub layout: &'a D::Layout,
    /// Number of classes.
    pub labels: usize,
    /// How classes count.
    pub options: &'a LossOptions,
    /// Factor of the gradient.
    pub factor: f64,
}

/// Some of the rows that are read, with the tokens that they are asked for.
pub struct PickRows<'a, D: Memory + ?Sized> {
    /// The batch with its picks.
    pub layout: &'a D::Layout,
    /// Which of its picks: all those of the rows.
    pub picks: Range<usize>,
    /// The first of the rows; logits have it as their row 0.
    pub first_row: usize,
    /// Columns of the logits.
    pub columns: usize,
    /// What the logits were bent to stay below; a gradient is then that of the logits as they were.
    pub cap: Option<f32>,
}

/// Classification heads and losses.
pub trait Losses: Memory {
    /// What a head reads of each example, as the layout's pooling says: weighted sums of rows, then numbers that are given.
    ///
    /// # Shapes
    /// `rows`: `[rows that are read, width]`; `out`: `[examples, parts · width + given]`.
    fn pool(&self, rows: &Self::Floats, width: usize, layout: &Self::Layout, out: &mut Self::Floats);
    /// The gradient of [`Losses::pool`]'s rows, overwritten: a row has the sum over all sums that it is a term of, of
    /// whichever examples.
    fn pool_backward(
        &self,
        out_gradient: &Self::Floats,
        width: usize,
        layout: &Self::Layout,
        rows_gradient: &mut Self::Floats,
    );
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
    /// Sum of the examples' cross-entropies by the targets of the layout, counted as the options say, to a result;
    /// `gradient` becomes that of the sum times the factor. Of classes and distributions it is that of a softmax over the
    /// logits, of labels the sum over the labels of the binary cross-entropy of each logit's sigmoid.
    fn cross_entropy(
        &self,
        logits: &Self::Floats,
        loss: CrossEntropy<Self>,
        gradient: &mut Self::Floats,
        out: Slot<Self>,
    );

    /// Bends the first `length` logits to stay below a cap: `cap · tanh(logit / cap)`.
    fn cap(&self, logits: &mut Self::Floats, length: usize, cap: f32);
    /// Logarithm of the sum of the exponentials of every row of `[rows, columns]` logits, to the first results.
    fn logsumexp(&self, logits: &Self::Floats, rows: usize, columns: usize, out: &mut Self::Scalars);
    /// Log-likelihoods of the tokens that the rows are asked for, to the results from a place on.
    fn pick(&self, logits: &Self::Floats, logsumexp: &Self::Scalars, picks: PickRows<Self>, out: Slot<Self>);
    /// Subtracts from a result the log-likelihoods of the tokens that the rows are asked for, times their shares.
    fn token_loss(
        &self,
        logits: &Self::Floats,
        logsumexp: &Self::Scalars,
        picks: PickRows<Self>,
        out: Slot<Self>,
    );
    /// Turns logits of rows that are asked for one token each into the gradient of [`Losses::token_loss`] times `factor`.
    fn token_gradient(
        &self,
        logits: &mut Self::Floats,
        logsumexp: &Self::Scalars,
        picks: PickRows<Self>,
        factor: f64,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_a_distribution_with_one_share() {
        let (classes, shares) =
            (Targets::Classes(&[2, 0]), Targets::Distributions(&[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]));
        assert_eq!((classes.examples(3), shares.examples(3)), (2, 2));
        for (example, class) in [(0, 0), (0, 2), (1, 0), (1, 1)] {
            assert_eq!(classes.share(example, class, 3), shares.share(example, class, 3));
        }
    }

    #[test]
    fn examples_count_what_their_class_counts() {
        let weighted = LossOptions { class_weights: Some(vec![0.5, 2.0]), label_smoothing: 0.0 };
        assert_eq!((LossOptions::default().weight(1), weighted.weight(1)), (1.0, 2.0));
    }
}

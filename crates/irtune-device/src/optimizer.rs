//! AdamW, and what it needs of gradients.
//!
//! # Source
//! Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019; `torch.optim.AdamW`.

use std::ops::Range;

use crate::{Memory, Slot};

/// Hyperparameters of one step; PyTorch's names are lr, betas, eps, weight_decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment; PyTorch's default is 0.9.
    pub beta1: f64,
    /// Decay of the second moment; PyTorch's default is 0.999.
    pub beta2: f64,
    /// Added to the root of the second moment; PyTorch's default is 1e-8.
    pub epsilon: f64,
    /// Decoupled decay; PyTorch's default is 0.01, the published recipe's 0.
    pub weight_decay: f64,
}

/// Parameters that are updated alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Where they are in their buffer.
    pub range: Range<usize>,
    /// Factor of their learning rate.
    pub rate: f32,
}

/// Stretches of parameters with their gradients and moments, all in buffers of one layout.
pub struct OptimizerState<'a, D: Memory + ?Sized> {
    /// Parameters.
    pub values: &'a mut D::Floats,
    /// Their gradient.
    pub gradient: &'a D::Floats,
    /// First moment.
    pub first: &'a mut D::Floats,
    /// Second moment.
    pub second: &'a mut D::Floats,
    /// Which parameters.
    pub stretches: &'a [Stretch],
}

/// Updates of parameters, and sums over gradients.
pub trait Optimizer: Memory {
    /// One AdamW step; `count` includes this one.
    fn adamw(&self, settings: &AdamW, count: u64, state: OptimizerState<Self>);
    /// Sum of squares of each range of values, to the results from a place on.
    fn sums_of_squares(&self, values: &Self::Floats, ranges: &[Range<usize>], out: Slot<Self>);
    /// Multiplies all values.
    fn scale(&self, values: &mut Self::Floats, factor: f32);
}

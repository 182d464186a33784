//! AdamW, and what it needs of gradients.
//!
//! # Source
//! Loshchilov & Hutter, "Decoupled Weight Decay Regularization", 2019; `torch.optim.AdamW`.

use crate::Memory;

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

/// A stretch of parameters with its gradient and moments.
pub struct OptimizerSlices<'a, D: Memory + ?Sized> {
    /// Parameters.
    pub values: &'a mut D::Floats,
    /// Their gradient.
    pub gradient: &'a D::Floats,
    /// First moment.
    pub first: &'a mut D::Floats,
    /// Second moment.
    pub second: &'a mut D::Floats,
    /// Where the stretch begins.
    pub from: usize,
    /// How many parameters it has.
    pub length: usize,
}

/// Updates of parameters, and sums over gradients.
pub trait Optimizer: Memory {
    /// One AdamW step; `count` includes this one.
    fn adamw(&self, settings: &AdamW, count: u64, state: OptimizerSlices<Self>);
    /// Sum of squares of `length` values from `offset` on.
    fn sum_of_squares(&self, values: &Self::Floats, offset: usize, length: usize) -> f64;
    /// Multiplies all values.
    fn scale(&self, values: &mut Self::Floats, factor: f32);
}

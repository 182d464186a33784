//! Which way a weight is read.

/// Which dimension of a weight is summed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `A · Wᵀ`: outputs are the weight's rows (a linear layer's forward).
    Forward,
    /// `A · W`: outputs are the weight's columns (a linear layer's input gradient).
    Backward,
}

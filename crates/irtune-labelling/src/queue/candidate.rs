//! A pair that has no label yet.

/// A pair that has no label yet, as numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidate {
    /// What a model gives each label, `[labels]`.
    pub probabilities: Vec<f64>,
    /// What tells the pair from others: places of features that are not zero, ascending, and their values.
    pub features: Vec<(usize, f64)>,
}

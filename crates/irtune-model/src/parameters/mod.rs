//! What trains: parameters with their gradients and moments, and the base's own weights as master copies.

pub(crate) mod checked;
pub(crate) mod entries;
pub(crate) mod group;
pub(crate) mod masters;

/// The classifier's head, `[labels, hidden_size]`, as transformers names it; where the layers' own weights train, an
/// engine has it under this name.
pub const WEIGHTS_HEAD_NAME: &str = "score.weight";

//! Why a step can't be made.

use irtune_model::{BatchError, ModelError};
use irtune_select::SelectError;

/// Why a step can't be made.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The loss is infinite or not a number.
    #[error("the loss is {loss}")]
    Loss {
        /// What it is.
        loss: f64,
    },
    /// The gradient is infinite or not a number.
    #[error("the gradient norm is {norm}")]
    Gradient {
        /// What it is.
        norm: f64,
    },
    /// There is nothing to train on.
    #[error("the step has no examples")]
    Empty,
    /// An example without a label can't be trained on.
    #[error("example {example} of the step has no label")]
    Unlabelled {
        /// Its position in the step.
        example: usize,
    },
    /// Examples of one label and of several can't be trained on together.
    #[error("example {example} of the step has a target of another kind than those before it")]
    MixedTargets {
        /// Its position in the step.
        example: usize,
    },
    /// The policy can't choose or can't use what it was shown.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// The examples can't be packed.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The engine can't.
    #[error(transparent)]
    Model(#[from] ModelError),
}

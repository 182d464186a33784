//! How an engine works, beside what it computes.

use irtune_device::DropoutKey;

/// How an engine works, beside what it computes.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Tokens of the largest batch that is expected; a larger one makes the buffers grow.
    pub max_tokens: usize,
    /// Examples of the largest batch that is expected.
    pub max_examples: usize,
    /// Whether it will train; without, activations are kept for no layer.
    pub training: bool,
    /// Most memory that training is to use, in bytes: layers whose activations don't fit are recomputed in the backward
    /// pass. All activations are kept when not given.
    pub memory_bytes: Option<usize>,
}

/// What a pass adds gradients of.
#[derive(Clone, Copy, Debug)]
pub struct TrainingPass<'a> {
    /// The layers that train, `[layers]`.
    pub active: &'a [bool],
    /// Whether the head trains.
    pub train_head: bool,
    /// What the sum of losses is divided by.
    pub normalizer: f64,
    /// Where dropout comes from, if there is any.
    pub dropout: Option<DropoutKey>,
}

//! Why a language model can't be asked.

use irtune_data::{DataError, Place};
use irtune_metrics::MetricsError;
use irtune_model::ModelError;

/// Why a language model can't be asked.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// Data, words or template can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The base can't be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The answers can't be measured.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// Shots come from training pairs.
    #[error("shots are drawn from training pairs: give a file with --train, or leave --shots out")]
    NoTrain,
    /// Words for a turn that isn't there.
    #[error(
        "only a chat has a system turn, so {system:?} has no place: use --chat on, or leave --system out"
    )]
    SystemWithoutChat {
        /// The words.
        system: String,
    },
    /// A prompt that the model was not made for.
    #[error(
        "the longest prompt has {longest} tokens with its {shots} shots, more than the model's context of {context}: \
         lower --shots or --max-length"
    )]
    Context {
        /// Tokens of the longest prompt and words.
        longest: usize,
        /// Most that the model was made for.
        context: usize,
        /// Pairs shown.
        shots: usize,
    },
    /// The model gives no answer.
    #[error("{place}: the model's output is not finite; try --precision f32")]
    NotFinite {
        /// Where the pair comes from.
        place: Place,
    },
}

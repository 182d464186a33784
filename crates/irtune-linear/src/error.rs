//! Why a linear model can't be trained or read.

use irtune_data::DataError;

use crate::minimise::FitError;

/// Why a linear model can't be trained or read.
#[derive(Debug, thiserror::Error)]
pub enum LinearError {
    /// A pair can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The fit did not end.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// A pair that is to be learned from has no label.
    #[error("{place}: the pair has no label")]
    NoLabel {
        /// Where the pair comes from.
        place: irtune_data::Place,
    },
    /// A file is not one of this format.
    #[error("not a linear model of this version of irtune ({what}); train it anew")]
    Format {
        /// What is wrong.
        what: &'static str,
    },
    /// A file can't be written or read as safetensors.
    #[error("not a file of tensors: {source}")]
    Tensors {
        /// What is wrong.
        #[from]
        source: safetensors::SafeTensorError,
    },
    /// What is written beside the tensors is damaged.
    #[error("the vocabulary of the linear model is damaged: {source}")]
    Vocabulary {
        /// What is wrong.
        #[from]
        source: serde_json::Error,
    },
}

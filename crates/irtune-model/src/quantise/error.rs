//! Why a model can't be quantised.

use std::path::PathBuf;

use crate::{base::weights::WeightError, quantise::Scheme};

/// A scheme that doesn't exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no type `{name}`: take one of {}", Scheme::names())]
pub struct UnknownScheme {
    /// What was asked for.
    pub name: String,
}

/// Why a model can't be quantised.
#[derive(Debug, thiserror::Error)]
pub enum QuantiseError {
    /// A folder without a GGUF.
    #[error("{} holds no .gguf file: give one, or convert the folder with llama.cpp's convert_hf_to_gguf.py", path.display())]
    NoGguf {
        /// The folder.
        path: PathBuf,
    },
    /// The model can't be read.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// A model whose values are rounded already.
    #[error(
        "{}: the tensor `{tensor}` is stored as {found}, which rounds already; quantise the file that this one was made \
         of, in F32, F16, BF16 or Q8_0",
        path.display()
    )]
    Rounded {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// How it is stored.
        found: &'static str,
    },
    /// The same file is to be read and written.
    #[error("{} is the model itself: give another file with --out", path.display())]
    Itself {
        /// The file.
        path: PathBuf,
    },
    /// The new file can't be written.
    #[error(transparent)]
    Write(#[from] irtune_files::WriteError),
}

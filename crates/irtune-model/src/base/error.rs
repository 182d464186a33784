//! Why a base can't be opened.

use std::path::PathBuf;

use super::{config::ConfigError, tokenizer::TokenizerError, weights::WeightError};

/// Why a base can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// Nothing there.
    #[error("there is no base at {}: give a model folder or a .gguf file", path.display())]
    NotFound {
        /// What was given.
        path: PathBuf,
    },
    /// A folder of something else.
    #[error(
        "{} is no model folder: it holds no config.json, and {ggufs} .gguf files; give a folder in transformers' format, \
         or name one .gguf file",
        path.display()
    )]
    NoConfig {
        /// The folder.
        path: PathBuf,
        /// How many GGUF files it holds.
        ggufs: usize,
    },
    /// Tokens without a row in the embedding.
    #[error(
        "{}: the tokenizer has {tokens} tokens, but the embedding only {rows} rows; the tokenizer belongs to another model",
        path.display()
    )]
    Vocabulary {
        /// The base.
        path: PathBuf,
        /// Size of the tokenizer's vocabulary.
        tokens: usize,
        /// Rows of the embedding.
        rows: usize,
    },
    /// The configuration can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The weights can't be used.
    #[error(transparent)]
    Weight(#[from] WeightError),
    /// The tokenizer can't be used.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
}

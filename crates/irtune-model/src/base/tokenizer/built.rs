//! What the kinds of tokenizers that a GGUF can hold are built as.

use std::path::Path;

use super::TokenizerError;

/// A tokenizer of a GGUF's vocabulary, and what its kind does where the file says nothing.
pub(super) struct Built {
    /// With its decoder, without a template for the begin token.
    pub(super) inner: tokenizers::Tokenizer,
    /// Whether texts begin with a token of their own.
    pub(super) begins: Begins,
    /// The usual begin token.
    pub(super) begin_token: Option<u32>,
    /// The usual end token.
    pub(super) end_token: Option<u32>,
}

/// Whether texts begin with a token of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    /// Whatever the file says.
    Always,
    /// Unless the file says otherwise.
    Usually,
    /// When the file says so.
    Rarely,
}

/// The error for a vocabulary whose parts don't fit.
pub(super) fn does_not_fit(path: &Path) -> impl Fn(tokenizers::Error) -> TokenizerError + Copy {
    move |source| TokenizerError::Build { path: path.to_owned(), source }
}

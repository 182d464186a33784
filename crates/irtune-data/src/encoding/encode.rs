//! What this crate needs of a tokenizer.

use std::ops::Range;

/// Turns text into token ids.
pub trait Encode {
    /// The ids of a text, without any special token added.
    ///
    /// # Errors
    /// When the tokenizer can't represent the text.
    fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError>;

    /// The bytes of the text that each id of [`Encode::encode`] stands for, in the same order; blanks in front of a word
    /// may be left out.
    ///
    /// # Errors
    /// When the tokenizer can't represent the text.
    fn offsets(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError>;

    /// The token that every input begins with, where the tokenizer has one.
    fn begin_token(&self) -> Option<u32>;

    /// The token with which the model ends what it says, where the tokenizer has one.
    fn end_token(&self) -> Option<u32>;
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        (**self).encode(text)
    }

    fn offsets(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        (**self).offsets(text)
    }

    fn begin_token(&self) -> Option<u32> {
        (**self).begin_token()
    }

    fn end_token(&self) -> Option<u32> {
        (**self).end_token()
    }
}

/// The tokenizer refused a text.
#[derive(Debug, thiserror::Error)]
#[error("cannot be tokenized: {source}")]
pub struct EncodeError {
    /// The tokenizer's own error.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl EncodeError {
    /// Wraps the tokenizer's error.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> EncodeError {
        EncodeError { source: source.into() }
    }
}

//! Encodes pairs, none longer than the limit.

use super::encode::{Encode, EncodeError};
use super::example::Example;
use super::prompt::Prompt;
use super::shorten::{ELLIPSIS, shorten};
use crate::error::DataError;
use crate::label_set::LabelSet;
use crate::pair::Pair;

/// Examples in the order of their pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The examples.
    pub examples: Vec<Example>,
    /// How many of them had to be shortened.
    pub shortened: usize,
}

/// A pair gets at least this many tokens beside the prompt's fixed text.
const LEAST_ROOM: usize = 16;

/// Encodes pairs with one tokenizer, prompt and limit.
///
/// The ids are those of the whole rendered prompt: texts and fixed text are not tokenized piece by piece, so a model
/// sees what any other program would give it for the same string. The shared prefix is found in equal leading ids.
pub struct Encoder<T> {
    tokenizer: T,
    prompt: Prompt,
    max_length: usize,
    /// Tokens of the prompt around a pair of which nothing is left.
    fixed: usize,
}

impl<T: Encode> Encoder<T> {
    /// An encoder whose examples have at most `max_length` tokens, the begin token included.
    ///
    /// # Errors
    /// When `max_length` leaves fewer than 16 tokens beside the fixed text, which is never cut.
    pub fn new(tokenizer: T, prompt: Prompt, max_length: usize) -> Result<Encoder<T>, DataError> {
        let mut encoder = Encoder { tokenizer, prompt, max_length, fixed: 0 };
        let tokens = encoder.tokens(ELLIPSIS, ELLIPSIS).map_err(|source| DataError::Prompt { source })?;
        encoder.fixed = tokens.len();
        if encoder.fixed + LEAST_ROOM > max_length { Err(encoder.too_small()) } else { Ok(encoder) }
    }

    /// The limit in tokens.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// Tokens of the prompt around a pair of which nothing is left.
    pub fn fixed_length(&self) -> usize {
        self.fixed
    }

    /// The prompt.
    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// One pair's example. Too long a pair is shortened on both sides around what changed, never at its end.
    ///
    /// Without `labels` the example has no class, whatever the pair says.
    ///
    /// # Errors
    /// When the label isn't in `labels` or the tokenizer fails.
    pub fn encode(&self, pair: &Pair, labels: Option<&LabelSet>) -> Result<Example, DataError> {
        let label = labels.map(|labels| labels.target(pair)).transpose()?.flatten();
        let failed = |source| DataError::Row { place: pair.place.clone(), source };
        let tokens = self.tokens(&pair.original, &pair.revised).map_err(failed)?;
        if tokens.len() <= self.max_length {
            return Ok(Example { tokens, label, ..Example::default() });
        }
        let (original, revised) = self.shortened(pair)?;
        let tokens = self.tokens(&original, &revised).map_err(failed)?;
        Ok(Example { tokens, label, shortened: true, ..Example::default() })
    }

    /// A pair's texts as its example has them, and whether something was left out.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn texts(&self, pair: &Pair) -> Result<(String, String, bool), DataError> {
        let failed = |source| DataError::Row { place: pair.place.clone(), source };
        let whole = self.tokens(&pair.original, &pair.revised).map_err(failed)?.len() <= self.max_length;
        let (original, revised) = match whole {
            true => (pair.original.clone(), pair.revised.clone()),
            false => self.shortened(pair)?,
        };
        Ok((original, revised, !whole))
    }

    fn shortened(&self, pair: &Pair) -> Result<(String, String), DataError> {
        let failed = |source| DataError::Row { place: pair.place.clone(), source };
        let sides = shorten(&pair.original, &pair.revised, |original, revised| {
            Ok(self.tokens(original, revised)?.len() <= self.max_length)
        });
        sides.map_err(failed)?.ok_or_else(|| self.too_small())
    }

    /// All pairs' examples, and how many were shortened.
    ///
    /// # Errors
    /// As [`Encoder::encode`], for the first pair that fails.
    pub fn encode_all(&self, pairs: &[Pair], labels: Option<&LabelSet>) -> Result<Encoded, DataError> {
        let examples: Vec<Example> =
            pairs.iter().map(|pair| self.encode(pair, labels)).collect::<Result<_, _>>()?;
        let shortened = examples.iter().filter(|example| example.shortened).count();
        Ok(Encoded { examples, shortened })
    }

    fn tokens(&self, original: &str, revised: &str) -> Result<Vec<u32>, EncodeError> {
        let ids = self.tokenizer.encode(&self.prompt.render(original, revised))?;
        Ok(self.tokenizer.begin_token().into_iter().chain(ids).collect())
    }

    fn too_small(&self) -> DataError {
        DataError::MaxLength { max_length: self.max_length, fixed: self.fixed, room: LEAST_ROOM }
    }
}

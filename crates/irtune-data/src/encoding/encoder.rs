//! Encodes pairs, none longer than the limit.

use std::ops::Range;

use super::change::Change;
use super::encode::{Encode, EncodeError};
use super::example::{Example, ExampleChange};
use super::passages::passage::Passage;
use super::passages::{ELLIPSIS, Passages};
use super::prompt::Prompt;
use super::shorten::shorten;
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
    with_change: bool,
}

impl<T: Encode> Encoder<T> {
    /// An encoder whose examples have at most `max_length` tokens, the begin token included.
    ///
    /// # Errors
    /// When `max_length` leaves too few tokens beside the fixed text, which is never cut: fewer than 8 for each text of the
    /// pair that the prompt shows, 24 for `{marked}`, or 16 in all.
    pub fn new(tokenizer: T, prompt: Prompt, max_length: usize) -> Result<Encoder<T>, DataError> {
        let mut encoder = Encoder { tokenizer, prompt, max_length, fixed: 0, with_change: false };
        let nothing = encoder.prompt.render(ELLIPSIS, ELLIPSIS);
        encoder.fixed = encoder.tokens(&nothing).map_err(|source| DataError::Prompt { source })?.len();
        if encoder.fixed + encoder.prompt.least_room() > max_length {
            return Err(encoder.too_small());
        }
        Ok(encoder)
    }

    /// The same encoder, whose examples know what changed ([`Example::change`]).
    #[must_use]
    pub fn with_change(self) -> Encoder<T> {
        Encoder { with_change: true, ..self }
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

    /// One pair's example. Too long a pair is shortened around what changed, never simply at its end.
    ///
    /// Without `labels` the example has no target, whatever the pair says.
    ///
    /// # Errors
    /// When the label isn't in `labels` or the tokenizer fails.
    pub fn encode(&self, pair: &Pair, labels: Option<&LabelSet>) -> Result<Example, DataError> {
        let target = labels.map(|labels| labels.target(pair)).transpose()?.flatten();
        let failed = |source| DataError::Row { place: pair.place.clone(), source };
        let (passages, tokens, shortened) = self.fit(pair)?;
        let change = match self.with_change {
            true => Some(self.change(pair, &self.prompt.fill(&passages)).map_err(failed)?),
            false => None,
        };
        Ok(Example { tokens, target, kind: pair.kind(), shortened, change })
    }

    /// A pair's texts as its example has them.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn passages(&self, pair: &Pair) -> Result<Passages, DataError> {
        Ok(self.fit(pair)?.0)
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

    /// As much of a pair as fits, its tokens, and whether something was left out.
    fn fit(&self, pair: &Pair) -> Result<(Passages, Vec<u32>, bool), DataError> {
        let failed = |source| DataError::Row { place: pair.place.clone(), source };
        let tokens = |passages: &Passages| self.tokens(&self.prompt.fill(passages).text);
        let whole = Passages::whole(&pair.original, &pair.revised);
        let whole_tokens = tokens(&whole).map_err(failed)?;
        if whole_tokens.len() <= self.max_length {
            return Ok((whole, whole_tokens, false));
        }
        let fits = |passages: &Passages| Ok(tokens(passages)?.len() <= self.max_length);
        let shorter = shorten(&pair.original, &pair.revised, fits).map_err(failed)?;
        let shorter = shorter.ok_or_else(|| self.too_small())?;
        let tokens = tokens(&shorter).map_err(failed)?;
        Ok((shorter, tokens, true))
    }

    /// What changed in a pair, and where its filled prompt shows it.
    fn change(&self, pair: &Pair, prompt: &Passage) -> Result<ExampleChange, EncodeError> {
        let offsets = self.tokenizer.offsets(&prompt.text)?;
        let first = u32::from(self.begin_token().is_some());
        let counters = Change::of(&pair.original, &pair.revised).counters().to_vec();
        Ok(ExampleChange {
            removed: overlapping(&offsets, &prompt.removed, first),
            added: overlapping(&offsets, &prompt.added, first),
            counters,
        })
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, EncodeError> {
        let ids = self.tokenizer.encode(text)?;
        Ok(self.begin_token().into_iter().chain(ids).collect())
    }

    /// The token that is put before each text.
    fn begin_token(&self) -> Option<u32> {
        self.tokenizer.begin_token().filter(|_| !self.prompt.begins())
    }

    fn too_small(&self) -> DataError {
        let room = self.prompt.least_room();
        DataError::MaxLength { max_length: self.max_length, fixed: self.fixed, room }
    }
}

/// The positions, counted from `first`, of the tokens that have a byte in one of the ranges; both are in order.
fn overlapping(offsets: &[Range<usize>], ranges: &[Range<usize>], first: u32) -> Vec<u32> {
    let overlaps = |token: &Range<usize>| {
        // The first range that ends behind the token's beginning is the only one that can decide.
        let next = ranges.partition_point(|range| range.end <= token.start);
        ranges.get(next).is_some_and(|range| range.start < token.end)
    };
    let positions = (first..).zip(offsets).filter(|(_, token)| overlaps(token));
    positions.map(|(position, _)| position).collect()
}

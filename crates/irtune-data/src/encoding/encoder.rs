//! Encodes pairs, none longer than the limit.

use std::ops::Range;

use super::change::Change;
use super::encode::{Encode, EncodeError};
use super::ending::Ending;
use super::example::{Example, ExampleChange};
use super::passages::passage::Passage;
use super::passages::{ELLIPSIS, Passages};
use super::prompt::Prompt;
use super::shorten::shorten;
use crate::error::DataError;
use crate::label_set::LabelSet;
use crate::pair::Pair;

/// Bytes that no token is longer than: a text of more for each token that is allowed needs not become tokens to be known
/// as too long.
const LONGEST_TOKEN: usize = 1024;

/// Examples in the order of their pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The examples.
    pub examples: Vec<Example>,
    /// How many of them had to be shortened.
    pub shortened: usize,
    /// How many of them end before a padding token that the whole text ends with.
    pub before_padding: usize,
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
    ending: Ending,
}

/// As much of a pair as fits.
struct Fitted {
    passages: Passages,
    tokens: Ended,
    /// Whether something of the pair was left out.
    shortened: bool,
}

/// The tokens of a text, ended.
struct Ended {
    tokens: Vec<u32>,
    /// Whether padding tokens at its end were left out.
    before_padding: bool,
}

impl<T: Encode> Encoder<T> {
    /// An encoder whose examples have at most `max_length` tokens, the begin token included.
    ///
    /// # Errors
    /// When `max_length` leaves too few tokens beside the fixed text, which is never cut: fewer than 8 for each text of the
    /// pair that the prompt shows, 24 for `{marked}`, or 16 in all.
    pub fn new(tokenizer: T, prompt: Prompt, max_length: usize) -> Result<Encoder<T>, DataError> {
        let ending = Ending::default();
        let mut encoder = Encoder { tokenizer, prompt, max_length, fixed: 0, with_change: false, ending };
        encoder.measure()?;
        Ok(encoder)
    }

    /// The same encoder, whose examples end so; what the tokenizer appends counts as fixed text.
    ///
    /// # Errors
    /// As [`Encoder::new`].
    pub fn with_ending(mut self, ending: Ending) -> Result<Encoder<T>, DataError> {
        self.ending = ending;
        self.measure()?;
        Ok(self)
    }

    /// Counts the tokens of the fixed text.
    fn measure(&mut self) -> Result<(), DataError> {
        let nothing = self.prompt.render(ELLIPSIS, ELLIPSIS);
        self.fixed = self.tokens(&nothing).map_err(|source| DataError::Prompt { source })?.tokens.len();
        match self.fixed + self.prompt.least_room() > self.max_length {
            true => Err(self.too_small()),
            false => Ok(()),
        }
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
        let Fitted { passages, tokens, shortened } = self.fit(pair)?;
        let Ended { tokens, before_padding } = tokens;
        let change = match self.with_change {
            true => Some(self.change(pair, &self.prompt.fill(&passages)).map_err(failed)?),
            false => None,
        };
        Ok(Example { tokens, target, kind: pair.kind(), shortened, before_padding, change })
    }

    /// A pair's texts as its example has them.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn passages(&self, pair: &Pair) -> Result<Passages, DataError> {
        Ok(self.fit(pair)?.passages)
    }

    /// All pairs' examples, and how many were shortened.
    ///
    /// # Errors
    /// As [`Encoder::encode`], for the first pair that fails.
    pub fn encode_all(&self, pairs: &[Pair], labels: Option<&LabelSet>) -> Result<Encoded, DataError> {
        let examples: Vec<Example> =
            pairs.iter().map(|pair| self.encode(pair, labels)).collect::<Result<_, _>>()?;
        let shortened = examples.iter().filter(|example| example.shortened).count();
        let before_padding = examples.iter().filter(|example| example.before_padding).count();
        Ok(Encoded { examples, shortened, before_padding })
    }

    /// As much of a pair as fits.
    fn fit(&self, pair: &Pair) -> Result<Fitted, DataError> {
        let failed = |source| DataError::Row { place: pair.place.clone(), source };
        let tokens = |passages: &Passages| self.tokens(&self.prompt.fill(passages).text);
        let whole = Passages::whole(&pair.original, &pair.revised);
        let text = self.prompt.fill(&whole).text;
        if text.len() <= self.max_length.saturating_mul(LONGEST_TOKEN) {
            let tokens = self.tokens(&text).map_err(failed)?;
            if tokens.tokens.len() <= self.max_length {
                return Ok(Fitted { passages: whole, tokens, shortened: false });
            }
        }
        let fits = |passages: &Passages| Ok(tokens(passages)?.tokens.len() <= self.max_length);
        let shorter = shorten(&pair.original, &pair.revised, fits).map_err(failed)?;
        let passages = shorter.ok_or_else(|| self.too_small())?;
        let tokens = tokens(&passages).map_err(failed)?;
        Ok(Fitted { passages, tokens, shortened: true })
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

    fn tokens(&self, text: &str) -> Result<Ended, EncodeError> {
        let ids = self.tokenizer.encode(text)?;
        let mut tokens: Vec<u32> = self.begin_token().into_iter().chain(ids).collect();
        let left_out = self.ending.end(&mut tokens);
        // What the tokenizer itself appends ends every text.
        Ok(Ended { tokens, before_padding: left_out > self.ending.appended.len() })
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

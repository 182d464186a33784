//! The vocabulary that a GGUF's metadata hold, whatever kind of tokenizer it is of.

use std::{borrow::Cow, collections::HashMap, path::Path};

use tokenizers::{AddedToken, models::bpe::Vocab};

use super::TokenizerError;
use crate::base::weights::gguf::{Header, Value};

const TOKENS: &str = "tokenizer.ggml.tokens";
const KINDS: &str = "tokenizer.ggml.token_type";
const SCORES: &str = "tokenizer.ggml.scores";
const MERGES: &str = "tokenizer.ggml.merges";

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A piece of text.
    Plain,
    /// Stands for text that has no token.
    Unknown,
    /// Marks something, such as the end of a text.
    Control,
    /// Added by whoever made the model: found in a text before it is cut.
    UserDefined,
    /// One byte of text that has no token of its own.
    Byte,
}

/// A GGUF's tokens with what the file says of them.
pub(super) struct Vocabulary<'a> {
    header: &'a Header<'a>,
    /// Different texts, by their ids.
    pub(super) tokens: Vec<Cow<'a, str>>,
    /// As many as tokens.
    pub(super) kinds: Vec<Kind>,
}

impl<'a> Vocabulary<'a> {
    pub(super) fn read(header: &'a Header<'a>) -> Result<Self, TokenizerError> {
        let tokens = strings(header, TOKENS)?;
        if u32::try_from(tokens.len()).is_err() {
            return Err(missing(header, TOKENS, "a list of fewer than 2^32 strings"));
        }
        // llama.cpp's name for a token without a text.
        let named = |(id, token): (usize, &'a str)| match token {
            "" => Cow::Owned(format!("[EMPTY_{id}]")),
            token => Cow::Borrowed(token),
        };
        let tokens: Vec<_> = tokens.into_iter().enumerate().map(named).collect();
        let mut ids = HashMap::with_capacity(tokens.len());
        for (id, token) in tokens.iter().enumerate() {
            if let Some(first) = ids.insert(token.as_ref(), id) {
                let (path, token) = (header.path().to_owned(), token.clone().into_owned());
                return Err(TokenizerError::DuplicateToken { path, token, first, second: id });
            }
        }
        let kinds = kinds(header, tokens.len())?;
        Ok(Self { header, tokens, kinds })
    }

    /// The file.
    pub(super) fn path(&self) -> &'a Path {
        self.header.path()
    }

    /// A truth value that the file holds.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.header.metadata.get(key).and_then(Value::as_bool)
    }

    /// Whether it is a Phi-3's: its architecture or its name says so.
    pub(super) fn is_of_phi3(&self) -> bool {
        let text = |key| self.header.metadata.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = text("general.name").to_lowercase();
        text("general.architecture") == "phi3" || name.contains("phi-3") || name.contains("phi3")
    }

    /// Every token with its id.
    pub(super) fn ids(&self) -> Vocab {
        self.tokens.iter().enumerate().map(|(id, token)| (token.clone().into_owned(), id as u32)).collect()
    }

    /// The merges as they stand in the file, the most important first.
    pub(super) fn merges(&self) -> Result<Vec<(String, String)>, TokenizerError> {
        let merges = strings(self.header, MERGES)?.into_iter().enumerate().map(|(index, merge)| {
            // A token never holds a plain space: it is written as Ġ, or as ▁ by SentencePiece.
            match merge.split_once(' ').filter(|(_, right)| !right.contains(' ')) {
                Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
                None => {
                    let (path, merge) = (self.header.path().to_owned(), merge.to_owned());
                    Err(TokenizerError::Merge { path, index, merge })
                }
            }
        });
        merges.collect()
    }

    /// How much each token is preferred.
    pub(super) fn scores(&self) -> Result<Vec<f64>, TokenizerError> {
        let array = self.header.metadata.get(SCORES).and_then(Value::as_array);
        let scores: Option<Vec<f64>> =
            array.and_then(|array| array.iter().map(|value| value.as_float()).collect());
        let usable = |scores: &Vec<f64>| {
            scores.len() >= self.tokens.len() && scores.iter().all(|score| !score.is_nan())
        };
        scores
            .filter(usable)
            .ok_or_else(|| missing(self.header, SCORES, "a list of numbers, one for each token"))
    }

    /// A token that the file names by its id; `usual` where it names none.
    pub(super) fn special(&self, key: &str, usual: Option<u32>) -> Option<u32> {
        let named = self.header.metadata.get(key).and_then(Value::as_unsigned);
        let named = named.and_then(|token| u32::try_from(token).ok()).filter(|&token| self.has(token));
        named.or(usual.filter(|&token| self.has(token)))
    }

    fn has(&self, token: u32) -> bool {
        (token as usize) < self.tokens.len()
    }

    /// Makes control tokens, the user's own and the unknown one be found whole; all have their ids already.
    ///
    /// Blanks behind a token belong to it where `takes_blanks` says so.
    pub(super) fn add_to(
        &self,
        inner: &mut tokenizers::Tokenizer,
        unknown: Option<u32>,
        takes_blanks: impl Fn(&str) -> bool,
    ) {
        let (mut special, mut plain) = (Vec::new(), Vec::new());
        for (id, (kind, token)) in self.kinds.iter().zip(&self.tokens).enumerate() {
            let added = |is_special| {
                AddedToken::from(token.as_ref(), is_special).normalized(false).rstrip(takes_blanks(token))
            };
            match kind {
                Kind::Control => special.push(added(true)),
                Kind::Unknown if unknown == Some(id as u32) => special.push(added(true)),
                Kind::UserDefined => plain.push(added(false)),
                Kind::Unknown | Kind::Plain | Kind::Byte => {}
            }
        }
        inner.add_special_tokens(&special);
        inner.add_tokens(&plain);
    }
}

/// The kind of each token; all are plain where the file doesn't say.
fn kinds(header: &Header<'_>, tokens: usize) -> Result<Vec<Kind>, TokenizerError> {
    let Some(kinds) = header.metadata.get(KINDS) else { return Ok(vec![Kind::Plain; tokens]) };
    let kinds = kinds.as_array().ok_or_else(|| missing(header, KINDS, "a list of numbers"))?;
    if kinds.len() != tokens {
        let (path, kinds) = (header.path().to_owned(), kinds.len());
        return Err(TokenizerError::TokenTypes { path, tokens, kinds });
    }
    let kind = |value: Value<'_>| match value.as_unsigned() {
        Some(2) => Kind::Unknown,
        Some(3) => Kind::Control,
        Some(4) => Kind::UserDefined,
        Some(6) => Kind::Byte,
        _ => Kind::Plain,
    };
    Ok(kinds.iter().map(kind).collect())
}

/// The values of an array of strings.
fn strings<'a>(header: &Header<'a>, key: &'static str) -> Result<Vec<&'a str>, TokenizerError> {
    let array = header.metadata.get(key).and_then(Value::as_array);
    let strings = array.and_then(|array| array.iter().map(|value| value.as_str()).collect());
    strings.ok_or_else(|| missing(header, key, "a list of strings"))
}

/// The error for a key that isn't there or holds something else.
pub(super) fn missing(header: &Header<'_>, key: &'static str, expected: &'static str) -> TokenizerError {
    TokenizerError::Vocabulary { path: header.path().to_owned(), key, expected }
}

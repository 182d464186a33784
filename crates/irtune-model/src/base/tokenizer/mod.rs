//! From text to token ids.

mod built;
mod byte_level;
mod cuts;
mod error;
mod gguf;
mod scores;
mod sentence_piece;
pub(super) mod settings;
mod vocabulary;

use std::ops::Range;
use std::path::{Path, PathBuf};

pub use error::TokenizerError;
use tokenizers::processors::template::TemplateProcessing;

/// Turns text into the base's token ids.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    /// The file it was read from.
    path: PathBuf,
    inner: tokenizers::Tokenizer,
    begin_token: Option<u32>,
    end_token: Option<u32>,
    adds_begin_token: bool,
    /// What the tokenizer puts behind every text.
    appended: Vec<u32>,
    /// Rows of the embedding, where added tokens lie behind them.
    rows: Option<usize>,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`. Truncation and padding that it asks for are left out.
    ///
    /// # Errors
    /// When the file can't be read or isn't a tokenizer.
    pub fn from_file(path: &Path) -> Result<Self, TokenizerError> {
        let bytes = irtune_files::read(path)
            .map_err(|source| TokenizerError::Read { path: path.to_owned(), source })?;
        Self::from_json(&bytes, path)
    }

    /// The same of a file's content; `path` is what errors call it.
    ///
    /// # Errors
    /// When it isn't a tokenizer.
    pub fn from_json(bytes: &[u8], path: &Path) -> Result<Self, TokenizerError> {
        let mut inner = contained(|| tokenizers::Tokenizer::from_bytes(bytes))
            .map_err(|source| TokenizerError::Json { path: path.to_owned(), source })?;
        inner.with_padding(None);
        let unlimited = inner.with_truncation(None).map(|_| ());
        unlimited.map_err(|source| TokenizerError::Json { path: path.to_owned(), source })?;
        let added = contained(|| added_tokens(&inner));
        let Added { before, after } =
            added.map_err(|source| TokenizerError::Json { path: path.to_owned(), source })?;
        let begin_token = before.first().copied();
        let adds_begin_token = begin_token.is_some();
        let path = path.to_owned();
        Ok(Self { path, inner, begin_token, end_token: None, adds_begin_token, appended: after, rows: None })
    }

    /// The same tokenizer with the special tokens that the model's configuration names.
    #[must_use]
    pub fn with_special_tokens(mut self, begin_token: Option<u32>, end_token: Option<u32>) -> Self {
        // A template that ends texts but doesn't begin them was taken for one that begins them.
        self.adds_begin_token &= begin_token.is_none() || begin_token == self.begin_token;
        self.begin_token = begin_token.or(self.begin_token);
        self.end_token = end_token.or(self.end_token);
        self
    }

    /// The same tokenizer for an embedding of so many rows. Tokens that were added to the vocabulary may lie behind them, as
    /// Gemma 3's for images does: such a text has no ids then.
    ///
    /// # Errors
    /// The number of tokens, when the vocabulary itself or the begin token lies behind the rows.
    pub(super) fn for_embedding(mut self, rows: usize) -> Result<Self, usize> {
        let added = self.inner.get_added_vocabulary().get_vocab();
        let own = self.inner.get_vocab(false).into_iter().filter(|(token, _)| !added.contains_key(token));
        let needed = own.map(|(_, id)| id).chain(self.begin_token.filter(|_| self.adds_begin_token)).max();
        let needed = needed.map_or(0, |id| id as usize + 1);
        if needed > rows {
            return Err(needed);
        }
        self.rows = added.values().any(|&id| id as usize >= rows).then_some(rows);
        Ok(self)
    }

    /// The ids of a text; nothing is added in front or behind. The name of a special token in the text is that token.
    ///
    /// # Errors
    /// When the tokenizer's model has no id for a piece of the text, or the text has a token without a row in the base's
    /// embedding.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoding =
            contained(|| self.inner.encode_fast(text, false)).map_err(|source| self.failed(text, source))?;
        let ids = encoding.get_ids();
        match self.rows.and_then(|rows| Some((ids.iter().copied().find(|&id| id as usize >= rows)?, rows))) {
            Some((id, rows)) => {
                let token = self.token(id).unwrap_or_default();
                Err(TokenizerError::BeyondEmbedding { token, id, rows })
            }
            None => Ok(ids.to_vec()),
        }
    }

    /// The bytes of the text that each id of [`Tokenizer::encode`] stands for, in the same order.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn offsets(&self, text: &str) -> Result<Vec<Range<usize>>, TokenizerError> {
        let encoding =
            contained(|| self.inner.encode(text, false)).map_err(|source| self.failed(text, source))?;
        Ok(encoding.get_offsets().iter().map(|&(start, end)| start..end).collect())
    }

    fn failed(&self, text: &str, source: tokenizers::Error) -> TokenizerError {
        TokenizerError::Encode { path: self.path.clone(), characters: text.chars().count(), source }
    }

    /// Begins a text, where the model has such a token.
    pub fn begin_token(&self) -> Option<u32> {
        self.begin_token
    }

    /// Ends a text, where the model has such a token.
    pub fn end_token(&self) -> Option<u32> {
        self.end_token
    }

    /// Whether the model has learnt that every text begins with [`Tokenizer::begin_token`].
    pub fn adds_begin_token(&self) -> bool {
        self.adds_begin_token
    }

    /// Tokens that the tokenizer puts behind every text.
    pub fn appended(&self) -> &[u32] {
        &self.appended
    }

    /// Whether a token was added to the vocabulary, and so is found whole in any text.
    pub(crate) fn is_added(&self, token: u32) -> bool {
        self.inner.get_added_tokens_decoder().contains_key(&token)
    }

    /// The token that fills up batches, as the `tokenizer_config.json` of a transformers folder names it.
    /// Nothing where it has no row in the base's embedding.
    pub(crate) fn pad_token(&self, folder: &Path) -> Option<u32> {
        let token = self.inner.token_to_id(&settings::special_token(folder, "pad_token")?)?;
        self.rows.is_none_or(|rows| (token as usize) < rows).then_some(token)
    }

    /// The text of a token.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// Writes it as a `tokenizer.json`, which begins texts as this one does.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(crate) fn save(&self, path: &Path) -> Result<(), tokenizers::Error> {
        let mut inner = self.inner.clone();
        let begin = self.begin_token.filter(|_| self.adds_begin_token);
        if let Some((id, token)) = begin.and_then(|id| Some((id, self.token(id)?))) {
            let template = TemplateProcessing::builder()
                .try_single(vec![token.as_str(), "$A"])?
                .special_tokens(vec![(token, id)])
                .build()?;
            inner.with_post_processor(Some(template));
        }
        inner.save(path, false)
    }

    /// Number of tokens, added ones included.
    pub fn vocabulary_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }
}

/// What the `tokenizers` crate says, also where it panics over a damaged file instead.
fn contained<T>(work: impl FnOnce() -> Result<T, tokenizers::Error>) -> Result<T, tokenizers::Error> {
    let panicked = |_| Err("it made the library that reads it panic, so it is damaged".into());
    irtune_files::contained(work).unwrap_or_else(panicked)
}

/// Special tokens that a tokenizer puts around every text.
struct Added {
    before: Vec<u32>,
    after: Vec<u32>,
}

/// Finds them: they are hidden in a template, so see what it makes of a text, or of nothing where a letter has no token.
fn added_tokens(tokenizer: &tokenizers::Tokenizer) -> Result<Added, tokenizers::Error> {
    let encoding = tokenizer.encode_fast("a", true).or_else(|_| tokenizer.encode_fast("", true))?;
    let (ids, special) = (encoding.get_ids(), encoding.get_special_tokens_mask());
    let around = |mask: &[u32]| mask.iter().take_while(|&&special| special == 1).count();
    let before = around(special);
    let reversed: Vec<u32> = special[before..].iter().rev().copied().collect();
    let after = around(&reversed);
    Ok(Added { before: ids[..before].to_vec(), after: ids[ids.len() - after..].to_vec() })
}

#[cfg(test)]
mod tests;

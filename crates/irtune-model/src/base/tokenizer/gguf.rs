//! A tokenizer from the vocabulary and merges that a GGUF holds.

use std::collections::HashMap;

use tokenizers::{AddedToken, NormalizerWrapper, models::bpe::BPE, normalizers::unicode::NFC};

use super::{
    Tokenizer, TokenizerError,
    split::{NAMES, Way},
};
use crate::base::weights::gguf::{Header, Value};

const MODEL: &str = "tokenizer.ggml.model";
const PRE: &str = "tokenizer.ggml.pre";
const TOKENS: &str = "tokenizer.ggml.tokens";
const TOKEN_TYPES: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";

/// Kinds of tokens that are found in a text before it is cut: control tokens and those a user added.
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

impl Tokenizer {
    /// Builds the tokenizer that a GGUF's metadata describe: byte-level BPE.
    ///
    /// # Errors
    /// When the file holds another kind of tokenizer, cuts text in a way that isn't known, or is damaged.
    pub fn from_gguf(header: &Header<'_>) -> Result<Self, TokenizerError> {
        let path = header.path();
        let text = |key| header.metadata.get(key).map(|value| value.as_str().ok_or(value.to_string()));
        let unsupported = |key, found: &str, supported: String| TokenizerError::Unsupported {
            path: path.to_owned(),
            key,
            found: found.to_owned(),
            supported,
        };
        match text(MODEL) {
            Some(Ok("gpt2")) => {}
            Some(Ok(found)) => return Err(unsupported(MODEL, found, "gpt2".to_owned())),
            _ => return Err(missing(header, MODEL, "a string")),
        }
        let way = match text(PRE) {
            None => Way::Unrecorded,
            Some(Ok(name)) => match NAMES.into_iter().find(|(known, _)| *known == name) {
                Some((_, way)) => way,
                None => return Err(unsupported(PRE, name, NAMES.map(|(name, _)| name).join(", "))),
            },
            Some(Err(_)) => return Err(missing(header, PRE, "a string")),
        };
        let tokens = tokens(header)?;
        let mut vocabulary = HashMap::with_capacity(tokens.len());
        for (id, &token) in tokens.iter().enumerate() {
            if let Some(first) = vocabulary.insert(token.to_owned(), id as u32) {
                let (token, first) = (token.to_owned(), first as usize);
                return Err(TokenizerError::DuplicateToken {
                    path: path.to_owned(),
                    token,
                    first,
                    second: id,
                });
            }
        }
        let build = |source| TokenizerError::Build { path: path.to_owned(), source };
        let model = BPE::builder()
            .vocab_and_merges(
                vocabulary.into_iter().collect::<tokenizers::models::bpe::Vocab>(),
                merges(header)?,
            )
            .ignore_merges(way.ignores_merges())
            .build()
            .map_err(build)?;
        let mut inner = tokenizers::Tokenizer::new(model);
        inner.with_normalizer(way.composes().then_some(NormalizerWrapper::NFC(NFC)));
        inner.with_pre_tokenizer(Some(way.steps().map_err(build)?));
        add_tokens(&mut inner, header, &tokens)?;

        let token = |key| {
            let token = header.metadata.get(key).and_then(Value::as_unsigned);
            token.and_then(|token| u32::try_from(token).ok()).filter(|&token| (token as usize) < tokens.len())
        };
        let begin_token = token("tokenizer.ggml.bos_token_id");
        let says = header.metadata.get("tokenizer.ggml.add_bos_token").and_then(Value::as_bool);
        let adds_begin_token = says.unwrap_or(way.begins()) && begin_token.is_some();
        Ok(Self { inner, begin_token, end_token: token("tokenizer.ggml.eos_token_id"), adds_begin_token })
    }
}

fn missing(header: &Header<'_>, key: &'static str, expected: &'static str) -> TokenizerError {
    TokenizerError::Vocabulary { path: header.path().to_owned(), key, expected }
}

/// The values of an array of strings.
fn strings<'a>(header: &Header<'a>, key: &'static str) -> Result<Vec<&'a str>, TokenizerError> {
    let array = header.metadata.get(key).and_then(Value::as_array);
    let strings = array.and_then(|array| array.iter().map(|value| value.as_str()).collect());
    strings.ok_or_else(|| missing(header, key, "a list of strings"))
}

fn tokens<'a>(header: &Header<'a>) -> Result<Vec<&'a str>, TokenizerError> {
    let tokens = strings(header, TOKENS)?;
    match u32::try_from(tokens.len()) {
        Ok(_) => Ok(tokens),
        Err(_) => Err(missing(header, TOKENS, "a list of fewer than 2^32 strings")),
    }
}

fn merges(header: &Header<'_>) -> Result<Vec<(String, String)>, TokenizerError> {
    let merges = strings(header, MERGES)?.into_iter().enumerate().map(|(index, merge)| {
        // A token never holds a plain space: byte-level BPE writes it as Ġ.
        match merge.split_once(' ').filter(|(_, right)| !right.contains(' ')) {
            Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
            None => {
                let (path, merge) = (header.path().to_owned(), merge.to_owned());
                Err(TokenizerError::Merge { path, index, merge })
            }
        }
    });
    merges.collect()
}

/// Makes control tokens and the user's own be found whole; all have their ids already.
fn add_tokens(
    inner: &mut tokenizers::Tokenizer,
    header: &Header<'_>,
    tokens: &[&str],
) -> Result<(), TokenizerError> {
    let Some(kinds) = header.metadata.get(TOKEN_TYPES) else { return Ok(()) };
    let kinds = kinds.as_array().ok_or_else(|| missing(header, TOKEN_TYPES, "a list of numbers"))?;
    if kinds.len() != tokens.len() {
        let (tokens, kinds) = (tokens.len(), kinds.len());
        return Err(TokenizerError::TokenTypes { path: header.path().to_owned(), tokens, kinds });
    }
    let mut special = Vec::new();
    let mut plain = Vec::new();
    for (kind, &token) in kinds.iter().zip(tokens).filter(|(_, token)| !token.is_empty()) {
        match kind.as_unsigned() {
            Some(CONTROL) => special.push(AddedToken::from(token, true)),
            Some(USER_DEFINED) => plain.push(AddedToken::from(token, false).normalized(false)),
            _ => {}
        }
    }
    inner.add_special_tokens(&special);
    inner.add_tokens(&plain);
    Ok(())
}

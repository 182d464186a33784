//! A tokenizer from the vocabulary that a GGUF holds.

use super::{
    Tokenizer, TokenizerError,
    built::Begins,
    byte_level, cuts, sentence_piece,
    vocabulary::{Vocabulary, missing},
};
use crate::base::weights::gguf::{Header, Value};

const MODEL: &str = "tokenizer.ggml.model";
const PRE: &str = "tokenizer.ggml.pre";

impl Tokenizer {
    /// Builds the tokenizer that a GGUF's metadata describe: byte-level BPE (`gpt2`), SentencePiece with scores (`llama`)
    /// or with merges (`gemma4`).
    ///
    /// # Errors
    /// When the file holds another kind of tokenizer, cuts text in a way that isn't known, or is damaged.
    ///
    /// # Source
    /// llama.cpp `llama-vocab.cpp`: which keys there are, and what holds where one is left out.
    pub fn from_gguf(header: &Header<'_>) -> Result<Self, TokenizerError> {
        let text = |key| header.metadata.get(key).map(Value::as_str);
        let kind = match text(MODEL) {
            Some(Some(kind)) => kind,
            _ => return Err(missing(header, MODEL, "a string")),
        };
        let pre = match text(PRE) {
            Some(None) => return Err(missing(header, PRE, "a string")),
            pre => pre.flatten(),
        };
        let unsupported = |key, found: &str, supported: String| TokenizerError::Unsupported {
            path: header.path().to_owned(),
            key,
            found: found.to_owned(),
            supported,
        };
        let cut = match kind {
            "gpt2" => Some(
                cuts::named(pre).ok_or_else(|| unsupported(PRE, pre.unwrap_or_default(), cuts::names()))?,
            ),
            "llama" | "gemma4" => None,
            _ => return Err(unsupported(MODEL, kind, "gpt2, llama and gemma4".to_owned())),
        };
        let vocabulary = Vocabulary::read(header)?;
        let built = match (kind, cut) {
            (_, Some(cut)) => byte_level::build(&vocabulary, cut)?,
            ("llama", None) => sentence_piece::of_scores(&vocabulary)?,
            (_, None) => sentence_piece::of_merges(&vocabulary)?,
        };
        let begin_token = vocabulary.special("tokenizer.ggml.bos_token_id", built.begin_token);
        let end_token = vocabulary.special("tokenizer.ggml.eos_token_id", built.end_token);
        let says = header.metadata.get("tokenizer.ggml.add_bos_token").and_then(Value::as_bool);
        let begins = match built.begins {
            Begins::Always => true,
            Begins::Usually => says.unwrap_or(true),
            Begins::Rarely => says.unwrap_or(false),
        };
        let adds_begin_token = begins && begin_token.is_some();
        Ok(Self {
            path: header.path().to_owned(),
            inner: built.inner,
            begin_token,
            end_token,
            adds_begin_token,
            appended: Vec::new(),
            rows: None,
        })
    }
}

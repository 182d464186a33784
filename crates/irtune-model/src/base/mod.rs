//! A base: the frozen model that adapters are trained on.

pub mod chat;
pub mod config;
mod error;
mod quantisation;
mod source;
pub mod tokenizer;
pub mod weights;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chat::{ChatError, ChatTemplate, Message};
use config::ModelConfig;
pub use error::BaseError;
pub use source::{BaseFormat, BaseSource, OtherBase};
use source::{beside_weights, fingerprint};
use tokenizer::Tokenizer;
use weights::{WeightError, Weights, gguf};

/// A decoder as it lies on disk.
#[derive(Debug)]
pub struct Base {
    /// Its sizes and constants.
    pub config: ModelConfig,
    /// Its weights, memory-mapped.
    pub weights: Weights,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
    /// Its chat template, where it has one.
    pub chat_template: Option<ChatTemplate>,
    /// Where it came from.
    pub source: BaseSource,
}

impl Base {
    /// Opens a transformers folder (`config.json`, safetensors, `tokenizer.json`), a GGUF file, or a folder that
    /// holds one GGUF file and no `config.json`.
    ///
    /// # Errors
    /// When there is nothing of the kind, or a part of it can't be used.
    pub fn open(path: &Path) -> Result<Self, BaseError> {
        if path.is_file() {
            return Self::open_gguf(path);
        }
        if !path.is_dir() {
            return Err(BaseError::NotFound { path: path.to_owned() });
        }
        if path.join("config.json").is_file() {
            return Self::open_folder(path);
        }
        match gguf_files(path).as_slice() {
            [file] => Self::open_gguf(file),
            files => Err(BaseError::NoConfig { path: path.to_owned(), ggufs: files.len() }),
        }
    }

    /// A conversation as text, up to where the assistant is about to speak.
    ///
    /// # Errors
    /// When the base has no chat template, or as [`ChatTemplate::render`].
    pub fn chat(&self, messages: &[Message]) -> Result<String, ChatError> {
        self.chat_template.as_ref().ok_or(ChatError::NoTemplate)?.render(messages, true)
    }

    /// Confirms that the weight files are those that were opened: by size and time, and where these are others by samples of
    /// their bytes. A mapped file shows what is written into it.
    ///
    /// # Errors
    /// [`WeightError::Changed`]
    pub fn check_unchanged(&self) -> Result<(), WeightError> {
        let Some(touched) = self.weights.touched() else { return Ok(()) };
        let maps: Result<Vec<_>, _> = self.weights.files().map(|(path, _)| weights::map(path)).collect();
        match maps {
            Ok(maps) if fingerprint(maps.iter().map(|map| &map[..])) == self.source.fingerprint => Ok(()),
            _ => Err(WeightError::Changed { path: touched.to_owned() }),
        }
    }

    fn open_folder(path: &Path) -> Result<Self, BaseError> {
        let mut config = ModelConfig::from_json(&path.join("config.json"))?;
        let shared_scale = quantisation::read(&path.join("config.json"))?;
        let weights = Weights::open_folder(path, config.family, shared_scale)?;
        let tokenizer = Tokenizer::from_file(&path.join("tokenizer.json"))?
            .with_special_tokens(config.begin_token, config.end_token);
        let tokenizer = for_embedding(path, tokenizer, &config)?;
        config.pad_token = filler(&tokenizer, config.pad_token).or_else(|| tokenizer.pad_token(path));
        let chat_template = chat::of_folder(path);
        Self::assemble(path, BaseFormat::Safetensors, config, weights, tokenizer, chat_template)
    }

    fn open_gguf(path: &Path) -> Result<Self, BaseError> {
        let map = weights::map(path)?;
        let header = gguf::Header::parse(&map, path).map_err(WeightError::from)?;
        let mut config = ModelConfig::from_gguf(&header)?;
        let tokenizer = for_embedding(path, Tokenizer::from_gguf(&header)?, &config)?;
        config.pad_token = filler(&tokenizer, config.pad_token);
        let tensors = header.translated(&config).map_err(WeightError::from)?;
        let chat_template = header.metadata.get("tokenizer.chat_template").and_then(gguf::Value::as_str);
        let chat_template = chat_template.map(|source| chat::of_gguf(source, &tokenizer));
        let weights = Weights::new(vec![(path.to_owned(), map)], tensors)?;
        Self::assemble(path, BaseFormat::Gguf, config, weights, tokenizer, chat_template)
    }

    fn assemble(
        path: &Path,
        format: BaseFormat,
        config: ModelConfig,
        weights: Weights,
        tokenizer: Tokenizer,
        chat_template: Option<ChatTemplate>,
    ) -> Result<Self, BaseError> {
        weights.check(&config)?;
        let bytes = weights.files().map(|(_, bytes)| bytes).sum();
        let files = match format {
            BaseFormat::Safetensors => beside_weights(path),
            BaseFormat::Gguf => BTreeMap::new(),
        };
        let fingerprint = fingerprint(weights.maps());
        let source = BaseSource { path: path.to_owned(), format, bytes, fingerprint, files };
        Ok(Self { config, weights, tokenizer, chat_template, source })
    }
}

/// The padding token, if it is a token of its own: a piece of ordinary text, once it is one, would be cut out of words.
fn filler(tokenizer: &Tokenizer, token: Option<u32>) -> Option<u32> {
    token.filter(|&token| tokenizer.is_added(token))
}

/// The tokenizer, if it can be that of the base.
fn for_embedding(path: &Path, tokenizer: Tokenizer, config: &ModelConfig) -> Result<Tokenizer, BaseError> {
    let rows = config.vocabulary_size;
    let too_many = |tokens| BaseError::Vocabulary { path: path.to_owned(), tokens, rows };
    tokenizer.for_embedding(rows).map_err(too_many)
}

/// The GGUF files of a folder; a folder that can't be listed has none.
pub(crate) fn gguf_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "gguf")).collect()
}

#[cfg(test)]
mod tests;

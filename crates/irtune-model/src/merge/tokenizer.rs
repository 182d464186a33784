//! The tokenizer of a merged model: the base's own files, or one made from what a GGUF says.

use std::{fs, path::Path};

use irtune_files::write_file;
use serde_json::json;

use super::MergeError;
use crate::base::{Base, BaseFormat};

/// What tokenizers in transformers folders consist of.
const FILES: [&str; 8] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
    "chat_template.jinja",
];

/// Writes the base's tokenizer into the folder.
pub(super) fn write(folder: &Path, base: &Base) -> Result<(), MergeError> {
    match base.source.format {
        BaseFormat::Safetensors => copy(folder, &base.source.path),
        BaseFormat::Gguf => make(folder, base),
    }
}

fn copy(folder: &Path, base: &Path) -> Result<(), MergeError> {
    for name in FILES {
        let path = base.join(name);
        if path.is_file() {
            fs::copy(&path, folder.join(name)).map_err(|source| MergeError::Copy { path, source })?;
        }
    }
    Ok(())
}

fn make(folder: &Path, base: &Base) -> Result<(), MergeError> {
    let path = folder.join("tokenizer.json");
    base.tokenizer.save(&path).map_err(|source| MergeError::Tokenizer { path, source })?;
    let config = &base.config;
    let token = |id: Option<u32>| id.and_then(|id| base.tokenizer.token(id));
    let settings = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": token(base.tokenizer.begin_token()),
        "eos_token": token(base.tokenizer.end_token()),
        "pad_token": token(config.padding_token()),
        "model_max_length": config.max_positions,
        "clean_up_tokenization_spaces": false,
    });
    let path = folder.join("tokenizer_config.json");
    write_file(&path, format!("{settings:#}\n").as_bytes())
        .map_err(|source| MergeError::Write { path, source })
}

//! The tokenizer of a merged model: the base's own files, or one made from what a GGUF says.

use std::{collections::BTreeMap, fs, path::Path};

use irtune_files::write_file;
use serde_json::{Map, Value, json, value::RawValue};

use super::MergeError;
use crate::{
    base::{Base, BaseFormat},
    peft::pretty,
};

/// What tokenizers in transformers folders consist of, beside the files that are changed.
const FILES: [&str; 5] =
    ["added_tokens.json", "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja"];
const TOKENIZER: &str = "tokenizer.json";
const SETTINGS: &str = "tokenizer_config.json";
const SPECIAL_TOKENS: &str = "special_tokens_map.json";

/// Writes the base's tokenizer into the folder.
pub(super) fn write(folder: &Path, base: &Base) -> Result<(), MergeError> {
    match base.source.format {
        BaseFormat::Safetensors => copy(folder, &base.source.path, base),
        BaseFormat::Gguf => make(folder, base),
    }
}

fn copy(folder: &Path, from: &Path, base: &Base) -> Result<(), MergeError> {
    for name in FILES {
        let path = from.join(name);
        if path.is_file() {
            fs::copy(&path, folder.join(name)).map_err(|source| MergeError::Copy { path, source })?;
        }
    }
    let path = from.join(TOKENIZER);
    let bytes = fs::read(&path).map_err(|source| MergeError::Copy { path: path.clone(), source })?;
    let bytes = unlimited(bytes).map_err(|source| MergeError::Json { path, source })?;
    put(&folder.join(TOKENIZER), &bytes)?;
    let mut settings = read(&from.join(SETTINGS))?.unwrap_or_default();
    settings.shift_remove("auto_map");
    put(&folder.join(SETTINGS), &pretty(&with_padding(settings, base).into()))?;
    if let Some(tokens) = read(&from.join(SPECIAL_TOKENS))? {
        put(&folder.join(SPECIAL_TOKENS), &pretty(&naming_padding(tokens, base).into()))?;
    }
    Ok(())
}

fn make(folder: &Path, base: &Base) -> Result<(), MergeError> {
    let path = folder.join(TOKENIZER);
    base.tokenizer.save(&path).map_err(|source| MergeError::Tokenizer { path, source })?;
    let token = |id: Option<u32>| id.and_then(|id| base.tokenizer.token(id));
    let settings = Map::from_iter([
        ("bos_token".to_owned(), json!(token(base.tokenizer.begin_token()))),
        ("eos_token".to_owned(), json!(token(base.tokenizer.end_token()))),
        ("model_max_length".to_owned(), json!(base.config.max_positions)),
        ("clean_up_tokenization_spaces".to_owned(), json!(false)),
    ]);
    put(&folder.join(SETTINGS), &pretty(&with_padding(settings, base).into()))
}

/// A `tokenizer.json` that neither cuts texts nor fills them up, as training read it; all other bytes of its parts stay.
fn unlimited(bytes: Vec<u8>) -> Result<Vec<u8>, serde_json::Error> {
    let mut parts: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&bytes)?;
    let limits = ["truncation", "padding"];
    let limited = |name: &&str| parts.get(*name).is_some_and(|value| value.get() != "null");
    if !limits.iter().any(limited) {
        return Ok(bytes);
    }
    for name in limits {
        parts.insert(name.to_owned(), RawValue::from_string("null".to_owned())?);
    }
    serde_json::to_vec(&parts)
}

/// Settings that let transformers read `tokenizer.json` as it stands, and fill up batches.
fn with_padding(mut settings: Map<String, Value>, base: &Base) -> Map<String, Value> {
    // A class of the model's own would put parts of its own in the place of the file's.
    settings.insert("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast"));
    settings.entry("model_input_names").or_insert_with(|| json!(["input_ids", "attention_mask"]));
    naming_padding(settings, base)
}

/// The same with the padding token of the model's configuration.
fn naming_padding(mut tokens: Map<String, Value>, base: &Base) -> Map<String, Value> {
    const FIELD: &str = "pad_token";
    let Some(token) = base.config.padding_token().and_then(|id| base.tokenizer.token(id)) else {
        return tokens;
    };
    let named = tokens.get(FIELD).and_then(|named| named.get("content").unwrap_or(named).as_str());
    if named != Some(&token) {
        tokens.insert(FIELD.to_owned(), token.into());
    }
    tokens
}

/// An object in a file, where there is such a file.
fn read(path: &Path) -> Result<Option<Map<String, Value>>, MergeError> {
    if !path.is_file() {
        return Ok(None);
    }
    let path = || path.to_owned();
    let bytes = fs::read(path()).map_err(|source| MergeError::Copy { path: path(), source })?;
    serde_json::from_slice(&bytes).map(Some).map_err(|source| MergeError::Json { path: path(), source })
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), MergeError> {
    write_file(path, bytes).map_err(|source| MergeError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_taken_out_of_a_tokenizer_and_its_scores_stay_to_the_digit() {
        let scores =
            r#"{"type":"Unigram","vocab":[["▁a",-3.4028234663852886e-3],["b", -0.10000000149011612]]}"#;
        let file = |truncation: &str, padding: &str| {
            format!(r#"{{"version":"1.0","truncation":{truncation},"padding":{padding},"model":{scores}}}"#)
        };
        let plain = file("null", "null");
        assert_eq!(unlimited(plain.clone().into_bytes()).unwrap(), plain.into_bytes());
        for (truncation, padding) in
            [(r#"{"max_length":3}"#, "null"), ("null", r#"{"strategy":"BatchLongest"}"#)]
        {
            let changed = unlimited(file(truncation, padding).into_bytes()).unwrap();
            let changed = String::from_utf8(changed).unwrap();
            assert!(changed.contains(scores), "{changed}");
            let parts: Value = serde_json::from_str(&changed).unwrap();
            assert_eq!((&parts["truncation"], &parts["padding"]), (&Value::Null, &Value::Null));
            assert_eq!(parts["version"], "1.0");
        }
    }
}

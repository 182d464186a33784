//! What `tokenizer_config.json` says, beside the tokenizer itself.

use std::path::Path;

use serde_json::Value;

/// All of it; nothing where there is no such file, or one that can't be read.
pub(crate) fn read(folder: &Path) -> Option<Value> {
    serde_json::from_slice(&irtune_files::read(&folder.join("tokenizer_config.json")).ok()?).ok()
}

/// A special token's text: it stands there as such, or as an object with its properties.
pub(crate) fn special_token(folder: &Path, name: &str) -> Option<String> {
    match read(folder)?.get(name)? {
        Value::String(token) => Some(token.clone()),
        token => token.get("content")?.as_str().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_special_token_is_found_in_both_spellings() {
        let place = tempfile::tempdir().unwrap();
        assert_eq!(special_token(place.path(), "pad_token"), None);
        let path = place.path().join("tokenizer_config.json");
        for (text, expected) in [
            (r#"{"pad_token": "<|pad|>"}"#, Some("<|pad|>")),
            (r#"{"pad_token": {"content": "<|pad|>", "special": true}}"#, Some("<|pad|>")),
            (r#"{"pad_token": null}"#, None),
            (r#"{"eos_token": "<|pad|>"}"#, None),
            ("{", None),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(special_token(place.path(), "pad_token").as_deref(), expected, "{text}");
        }
    }
}

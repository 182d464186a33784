//! The template that turns a conversation into text, where a base has learnt one.

use std::path::Path;

use serde_json::Value;

use super::{Base, tokenizer};

/// Markers of ChatML's turns.
const MARKERS: [&str; 2] = ["<|im_start|>", "<|im_end|>"];

/// The template of a transformers folder: a file of its own, or a part of the tokenizer's configuration. A folder whose
/// template can't be read has none.
pub(super) fn of_folder(folder: &Path) -> Option<String> {
    if let Ok(template) = std::fs::read_to_string(folder.join("chat_template.jinja")) {
        return Some(template);
    }
    match tokenizer::settings::read(folder)?.get("chat_template")? {
        Value::String(template) => Some(template.clone()),
        Value::Array(named) => {
            let default = named.iter().find(|template| template["name"] == "default").or(named.first())?;
            default["template"].as_str().map(str::to_owned)
        }
        _ => None,
    }
}

impl Base {
    /// Whether conversations with it are marked as in ChatML: its chat template uses these markers, and each is a token.
    pub fn speaks_chatml(&self) -> bool {
        let template = self.chat_template.as_deref().unwrap_or_default();
        self.has_chatml_tokens() && MARKERS.iter().all(|marker| template.contains(marker))
    }

    /// Whether ChatML's markers are tokens of its vocabulary; those of a base that never learnt to chat may be.
    pub fn has_chatml_tokens(&self) -> bool {
        MARKERS.iter().all(|marker| self.tokenizer.encode(marker).is_ok_and(|ids| ids.len() == 1))
    }
}

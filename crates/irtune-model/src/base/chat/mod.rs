//! The template that turns a conversation into text, where a base has learnt one.

mod environment;
mod error;

use std::path::Path;

use serde_json::Value;

pub use error::ChatError;

use super::tokenizer;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nobody: what the assistant is told before the conversation.
    System,
    /// Who asks.
    User,
    /// Who answers.
    Assistant,
}

impl Role {
    /// The name that templates know.
    fn name(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// What is said in a conversation before somebody else speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// A chat template, and the special tokens that it may write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatTemplate {
    /// In Jinja.
    pub(super) source: String,
    /// Names such as `bos_token`, with the tokens' texts.
    pub(super) special_tokens: Vec<(&'static str, String)>,
}

/// Names of special tokens in templates and in `tokenizer_config.json`.
const SPECIAL_TOKENS: [&str; 4] = ["bos_token", "eos_token", "unk_token", "pad_token"];

/// The template of a transformers folder: a file of its own, or a part of the tokenizer's configuration. A folder whose
/// template can't be read has none.
pub(super) fn of_folder(folder: &Path) -> Option<ChatTemplate> {
    let special = |name| Some((name, tokenizer::settings::special_token(folder, name)?));
    let special_tokens = SPECIAL_TOKENS.into_iter().filter_map(special).collect();
    Some(ChatTemplate { source: source_in(folder)?, special_tokens })
}

fn source_in(folder: &Path) -> Option<String> {
    if let Ok(template) = irtune_files::read_text(&folder.join("chat_template.jinja")) {
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

/// The template of a GGUF.
pub(super) fn of_gguf(source: &str, tokenizer: &tokenizer::Tokenizer) -> ChatTemplate {
    let text = |(name, id): (_, Option<u32>)| Some((name, tokenizer.token(id?)?));
    let special = [("bos_token", tokenizer.begin_token()), ("eos_token", tokenizer.end_token())];
    let special_tokens = special.into_iter().filter_map(text).collect();
    ChatTemplate { source: source.to_owned(), special_tokens }
}

impl ChatTemplate {
    /// A template in Jinja by itself, without special tokens to write.
    pub fn of_source(source: &str) -> ChatTemplate {
        ChatTemplate { source: source.to_owned(), special_tokens: Vec::new() }
    }

    /// A conversation as text, the begin token included where the template writes one. With `generation_prompt` it ends
    /// where the assistant is about to speak.
    ///
    /// A template that asks for today's date gets 26 July 2024, so that a prompt is the same every day.
    ///
    /// # Errors
    /// When the template can't be parsed, does something that isn't known, or refuses the conversation.
    ///
    /// # Source
    /// transformers `chat_template_utils.py`.
    pub fn render(&self, messages: &[Message], generation_prompt: bool) -> Result<String, ChatError> {
        environment::render(&self.source, &self.special_tokens, messages, generation_prompt)
    }
}

#[cfg(test)]
mod tests;

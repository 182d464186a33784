use std::path::Path;

use irtune_model::{ChatTemplate, Message, Role};

use super::refused;

/// A chat template, with a conversation.
pub fn chat(_: &Path, bytes: &[u8]) -> Result<(), String> {
    let source = str::from_utf8(bytes).map_err(refused)?;
    let message = |role, content: &str| Message { role, content: content.to_owned() };
    let messages = [message(Role::System, "Tell why."), message(Role::User, "a {original} <|im_end|>")];
    ChatTemplate::of_source(source).render(&messages, true).map(drop).map_err(refused)
}

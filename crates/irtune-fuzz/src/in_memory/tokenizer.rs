use std::path::Path;

use irtune_model::Tokenizer;

use super::refused;

/// A `tokenizer.json`.
pub fn tokenizer(name: &Path, bytes: &[u8]) -> Result<(), String> {
    let tokenizer = Tokenizer::from_json(bytes, name).map_err(refused)?;
    let text = "The river are old. \u{1F600} <|end|> é \0";
    tokenizer.encode(text).map_err(refused)?;
    tokenizer.offsets(text).map(drop).map_err(refused)
}

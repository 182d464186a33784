use std::path::Path;

use irtune_model::weights::gguf::Header;
use irtune_model::{ModelConfig, Tokenizer};

use super::refused;

/// The header of a GGUF file, with the configuration and the tokenizer in it.
pub fn gguf(name: &Path, bytes: &[u8]) -> Result<(), String> {
    let header = Header::parse(bytes, name).map_err(refused)?;
    for tensor in &header.tensors {
        assert!(header.bytes(tensor).len() <= bytes.len(), "a tensor is larger than its file");
    }
    ModelConfig::from_gguf(&header).map_err(refused)?;
    let tokenizer = Tokenizer::from_gguf(&header).map_err(refused)?;
    let encoded = tokenizer.encode("The river are old. \u{1F600}<|end|>");
    encoded.map(drop).map_err(|error| format!("{}: {error}", name.display()))
}

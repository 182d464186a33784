use std::path::Path;

use irtune_model::ModelConfig;

use super::refused;

/// A model's `config.json`.
pub fn config(name: &Path, bytes: &[u8]) -> Result<(), String> {
    ModelConfig::parse_json(bytes, name).map(drop).map_err(refused)
}

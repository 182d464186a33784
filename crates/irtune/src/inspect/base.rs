//! What a base model holds.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use irtune_model::{Base, ModelConfig, ModelError};
use serde::Serialize;
use serde_json::{Value, json};

use crate::show::numbers::{bytes, count};
use crate::show::text_table::table;

/// What the tensors of one format amount to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Tensors {
    tensors: u64,
    parameters: u64,
    bytes: u64,
}

/// What a base model holds; its `Display` is the text for a person.
#[derive(Debug)]
pub struct BaseReport {
    path: PathBuf,
    config: ModelConfig,
    parameters: u64,
    /// By the format's name.
    formats: BTreeMap<String, Tensors>,
    files: Vec<(String, u64)>,
}

impl BaseReport {
    /// Looks into the base at a path.
    ///
    /// # Errors
    /// When it can't be read, or is none.
    pub fn open(path: &Path) -> Result<BaseReport, ModelError> {
        let base = Base::open(path)?;
        let mut formats: BTreeMap<String, Tensors> = BTreeMap::new();
        for tensor in base.weights.tensors() {
            let entry = formats.entry(format!("{:?}", tensor.format)).or_default();
            entry.tensors += 1;
            entry.parameters += tensor.shape.iter().product::<usize>() as u64;
            entry.bytes += tensor.bytes.len() as u64;
        }
        let files = base.weights.files().map(|(file, length)| (file.display().to_string(), length)).collect();
        let parameters = base.weights.parameters();
        Ok(BaseReport { path: path.to_owned(), config: base.config, parameters, formats, files })
    }

    /// Everything for programs.
    pub fn json(&self) -> Value {
        let config = &self.config;
        let files: Vec<Value> =
            self.files.iter().map(|(file, length)| json!({"path": file, "bytes": length})).collect();
        json!({
            "kind": "base",
            "path": self.path.display().to_string(),
            "family": format!("{:?}", config.family).to_lowercase(),
            "layers": config.layers,
            "hidden_size": config.hidden_size,
            "intermediate_size": config.intermediate_size,
            "heads": config.heads,
            "key_value_heads": config.key_value_heads,
            "head_size": config.head_size,
            "vocabulary_size": config.vocabulary_size,
            "max_positions": config.max_positions,
            "rope_theta": config.variant.rotary.theta,
            "tied_embeddings": config.tied_embeddings,
            "parameters": self.parameters,
            "formats": self.formats,
            "files": files,
        })
    }
}

impl fmt::Display for BaseReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.config;
        writeln!(formatter, "Base model {}\n", self.path.display())?;
        let heads = format!(
            "{} of size {} ({} for keys and values)",
            config.heads, config.head_size, config.key_value_heads
        );
        for (name, value) in [
            ("family", format!("{:?}", config.family)),
            ("parameters", count(self.parameters)),
            ("layers", config.layers.to_string()),
            ("hidden size", count(config.hidden_size as u64)),
            ("intermediate size", count(config.intermediate_size as u64)),
            ("heads", heads),
            ("vocabulary", format!("{} tokens", count(config.vocabulary_size as u64))),
            ("longest input", format!("{} tokens", count(config.max_positions as u64))),
            ("embeddings", if config.tied_embeddings { "tied" } else { "separate" }.to_owned()),
        ] {
            writeln!(formatter, "  {name:<22}{value}")?;
        }
        let row = |(name, sum): (&String, &Tensors)| {
            vec![name.to_uppercase(), count(sum.tensors), count(sum.parameters), bytes(sum.bytes)]
        };
        let rows: Vec<Vec<String>> = self.formats.iter().map(row).collect();
        writeln!(formatter, "\n{}", table(&["format", "tensors", "parameters", "size"], &rows))?;
        self.files.iter().try_for_each(|(file, length)| writeln!(formatter, "  {file} ({})", bytes(*length)))
    }
}

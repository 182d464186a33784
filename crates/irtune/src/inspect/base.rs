//! What a base model holds.

use std::collections::BTreeMap;
use std::path::Path;

use irtune_model::Base;
use serde_json::json;

use crate::failure::Failure;
use crate::show::numbers::{bytes, count};
use crate::show::text_table::table;

/// What the tensors of one format amount to.
#[derive(Default)]
struct Tensors {
    tensors: u64,
    parameters: u64,
    bytes: u64,
}

/// Describes the base at a path.
pub fn run(path: &Path, as_json: bool) -> Result<(), Failure> {
    let base = Base::open(path)?;
    let config = &base.config;
    let mut formats: BTreeMap<String, Tensors> = BTreeMap::new();
    for tensor in base.weights.tensors() {
        let entry = formats.entry(format!("{:?}", tensor.format)).or_default();
        entry.tensors += 1;
        entry.parameters += tensor.shape.iter().product::<usize>() as u64;
        entry.bytes += tensor.bytes.len() as u64;
    }
    let files: Vec<(String, u64)> =
        base.weights.files().map(|(file, length)| (file.display().to_string(), length)).collect();
    if as_json {
        let formats: BTreeMap<_, _> = formats
            .iter()
            .map(|(name, sum)| {
                (name, json!({"tensors": sum.tensors, "parameters": sum.parameters, "bytes": sum.bytes}))
            })
            .collect();
        let files: Vec<_> =
            files.iter().map(|(file, length)| json!({"path": file, "bytes": length})).collect();
        let value = json!({
            "kind": "base",
            "path": path.display().to_string(),
            "family": format!("{:?}", config.family).to_lowercase(),
            "layers": config.layers,
            "hidden_size": config.hidden_size,
            "intermediate_size": config.intermediate_size,
            "heads": config.heads,
            "key_value_heads": config.key_value_heads,
            "head_size": config.head_size,
            "vocabulary_size": config.vocabulary_size,
            "max_positions": config.max_positions,
            "rope_theta": config.rope_theta,
            "tied_embeddings": config.tied_embeddings,
            "parameters": base.weights.parameters(),
            "formats": formats,
            "files": files,
        });
        return super::print(&(serde_json::to_string_pretty(&value)? + "\n"));
    }

    let mut out = format!("Base model {}\n\n", path.display());
    let line = |name: &str, value: String| format!("  {name:<22}{value}\n");
    out += &line("family", format!("{:?}", config.family));
    out += &line("parameters", count(base.weights.parameters()));
    out += &line("layers", config.layers.to_string());
    out += &line("hidden size", count(config.hidden_size as u64));
    out += &line("intermediate size", count(config.intermediate_size as u64));
    out += &line(
        "heads",
        format!(
            "{} of size {} ({} for keys and values)",
            config.heads, config.head_size, config.key_value_heads
        ),
    );
    out += &line("vocabulary", format!("{} tokens", count(config.vocabulary_size as u64)));
    out += &line("longest input", format!("{} tokens", count(config.max_positions as u64)));
    out += &line("embeddings", if config.tied_embeddings { "tied" } else { "separate" }.to_owned());
    out += "\n";
    let rows: Vec<Vec<String>> = formats
        .iter()
        .map(|(name, sum)| {
            vec![name.to_uppercase(), count(sum.tensors), count(sum.parameters), bytes(sum.bytes)]
        })
        .collect();
    out += &table(&["format", "tensors", "parameters", "size"], &rows);
    out += "\n";
    for (file, length) in files {
        out += &format!("  {file} ({})\n", bytes(length));
    }
    super::print(&out)
}

//! The Hugging Face cache on disk.
//!
//! # Source
//! The layout that `huggingface_hub` documents: `models--ORG--NAME/{refs,snapshots/COMMIT}`; other programs find what
//! is put there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Attempt, HubConfig, HubName};

/// The list of a sharded model's files.
pub(crate) const INDEX: &str = "model.safetensors.index.json";
/// The weights of a model in one file.
pub(crate) const SINGLE: &str = "model.safetensors";

/// Looks for a complete snapshot in the cache.
pub(crate) fn cached(name: &HubName, config: &HubConfig) -> Result<PathBuf, Attempt> {
    let way = "the Hugging Face cache".to_owned();
    let Some(cache) = &config.hub_cache else {
        return Err(Attempt {
            way,
            outcome: "no home folder, and neither HF_HOME nor HF_HUB_CACHE is set".to_owned(),
        });
    };
    let folder = repository_folder(cache, name);
    let snapshots = folder.join("snapshots");
    let named = fs::read_to_string(folder.join("refs").join("main")).ok();
    let mut candidates: Vec<PathBuf> = named.iter().map(|commit| snapshots.join(commit.trim())).collect();
    if let Ok(entries) = fs::read_dir(&snapshots) {
        let mut others: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        others.sort();
        candidates.extend(others);
    }
    candidates
        .iter()
        .find_map(|snapshot| usable(snapshot))
        .ok_or_else(|| Attempt { way, outcome: format!("{name} is not in {}", cache.display()) })
}

/// The folder of a repository in the cache.
pub(crate) fn repository_folder(cache: &Path, name: &HubName) -> PathBuf {
    cache.join(format!("models--{}--{}", name.organisation, name.name))
}

/// The model inside a snapshot: the folder itself when it has everything, else its only GGUF file.
pub(crate) fn usable(snapshot: &Path) -> Option<PathBuf> {
    if snapshot.join("config.json").exists()
        && snapshot.join("tokenizer.json").exists()
        && has_weights(snapshot)
    {
        return Some(snapshot.to_owned());
    }
    let entries = fs::read_dir(snapshot).ok()?;
    let mut files =
        entries.flatten().map(|entry| entry.path()).filter(|path| is_gguf(&path.to_string_lossy()));
    let first = files.next()?;
    files.next().is_none().then_some(first)
}

fn has_weights(snapshot: &Path) -> bool {
    if snapshot.join(SINGLE).exists() {
        return true;
    }
    let Ok(index) = fs::read_to_string(snapshot.join(INDEX)) else { return false };
    let shards = shards_of(&index);
    !shards.is_empty() && shards.iter().all(|shard| snapshot.join(shard).exists())
}

/// The files that an index of a sharded model names.
fn shards_of(index: &str) -> Vec<String> {
    let index: serde_json::Value = serde_json::from_str(index).unwrap_or_default();
    let map = index.get("weight_map").and_then(serde_json::Value::as_object);
    let mut shards: Vec<String> = map
        .into_iter()
        .flat_map(|map| map.values())
        .filter_map(|file| file.as_str().map(str::to_owned))
        .collect();
    shards.sort();
    shards.dedup();
    shards
}

/// Whether a file is a GGUF by its name.
pub(crate) fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

//! The Hugging Face cache on disk.
//!
//! # Source
//! The layout of `huggingface_hub`, so that other programs find what is put there:
//! `models--ORG--NAME/{blobs/HASH,refs/REVISION,snapshots/COMMIT/FILE}`, where a snapshot's files are links to blobs.
//! `golden/hub_cache` holds what `huggingface_hub` itself makes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Attempt, HubConfig, HubModel, HubName, gguf_names};

/// The list of a sharded model's files.
pub(crate) const INDEX: &str = "model.safetensors.index.json";
/// The weights of a model in one file.
pub(crate) const SINGLE: &str = "model.safetensors";

/// Looks for a complete snapshot in the cache.
pub(crate) fn cached(model: &HubModel, config: &HubConfig) -> Result<PathBuf, Attempt> {
    let way = "the Hugging Face cache".to_owned();
    let Some(cache) = &config.hub_cache else {
        return Err(Attempt {
            way,
            outcome: "no home folder, and neither HF_HOME nor HF_HUB_CACHE is set".to_owned(),
        });
    };
    let folder = repository_folder(cache, &model.name);
    let snapshots = folder.join("snapshots");
    let named = fs::read_to_string(reference_file(&folder, model.revision())).ok();
    let mut candidates: Vec<PathBuf> = named.iter().map(|commit| snapshots.join(commit.trim())).collect();
    match &model.revision {
        // Only a commit is also the name of a snapshot.
        Some(revision) if !revision.contains('/') => candidates.push(snapshots.join(revision)),
        Some(_) => {}
        // Whatever there is, when no revision was asked for.
        None => {
            if let Ok(entries) = fs::read_dir(&snapshots) {
                let mut others: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
                others.sort();
                candidates.extend(others);
            }
        }
    }
    candidates.iter().find_map(|snapshot| usable(snapshot, model.quantisation.as_deref())).ok_or_else(|| {
        Attempt { way, outcome: format!("{} is not in {}", model.without_prefix(), cache.display()) }
    })
}

/// The folder of a repository in the cache.
pub(crate) fn repository_folder(cache: &Path, name: &HubName) -> PathBuf {
    cache.join(folder_name(name))
}

/// What a repository is called in the cache.
pub(crate) fn folder_name(name: &HubName) -> String {
    format!("models--{}--{}", name.organisation, name.name)
}

/// The file that says which commit a branch or tag is.
pub(crate) fn reference_file(repository: &Path, revision: &str) -> PathBuf {
    repository.join("refs").join(revision)
}

/// The model inside a snapshot: the folder itself when it has everything, else its only GGUF file; of a quantisation only
/// its GGUF file.
pub(crate) fn usable(snapshot: &Path, quantisation: Option<&str>) -> Option<PathBuf> {
    if quantisation.is_none()
        && snapshot.join("config.json").exists()
        && snapshot.join("tokenizer.json").exists()
        && has_weights(snapshot)
    {
        return Some(snapshot.to_owned());
    }
    let entries = fs::read_dir(snapshot).ok()?;
    // A link whose blob was removed is no file.
    let names = entries.flatten().filter(|entry| entry.path().exists());
    let names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let chosen = gguf_names::choose(names.iter().map(String::as_str), quantisation).ok()?;
    Some(snapshot.join(chosen))
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
pub(crate) fn shards_of(index: &str) -> Vec<String> {
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

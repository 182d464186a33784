//! The Hugging Face hub and its cache on disk.
//!
//! # Source
//! The cache layout that `huggingface_hub` documents: `models--ORG--NAME/{refs,snapshots/COMMIT}`; other
//! programs find what is put there.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::download::{self, DownloadError};
use super::{Attempt, HubName};
use crate::environment::Environment;

const ENDPOINT: &str = "https://huggingface.co";
const INDEX: &str = "model.safetensors.index.json";
const SINGLE: &str = "model.safetensors";

#[derive(Deserialize)]
struct Repository {
    sha: String,
    siblings: Vec<RemoteFile>,
}

#[derive(Deserialize, Clone)]
struct RemoteFile {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<LargeFile>,
}

#[derive(Deserialize, Clone)]
struct LargeFile {
    sha256: String,
}

/// Looks for a complete snapshot in the cache.
pub fn cached(name: &HubName, environment: &Environment) -> Result<PathBuf, Attempt> {
    let way = "the Hugging Face cache".to_owned();
    let Some(cache) = environment.hub_cache() else {
        return Err(Attempt {
            way,
            outcome: "no home folder, and neither HF_HOME nor HF_HUB_CACHE is set".to_owned(),
        });
    };
    let folder = repository_folder(&cache, name);
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

fn repository_folder(cache: &Path, name: &HubName) -> PathBuf {
    cache.join(format!("models--{}--{}", name.organisation, name.name))
}

/// The model inside a snapshot: the folder itself when it has everything, else its only GGUF file.
fn usable(snapshot: &Path) -> Option<PathBuf> {
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

fn is_gguf(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".gguf")
}

/// Downloads a repository's model files into the cache.
pub fn fetch(name: &HubName, environment: &Environment) -> Result<PathBuf, Attempt> {
    let endpoint = environment.get("HF_ENDPOINT").unwrap_or(ENDPOINT).trim_end_matches('/');
    let way = "the Hugging Face hub".to_owned();
    if environment.get("HF_HUB_OFFLINE").is_some_and(|value| !matches!(value, "0" | "false" | "no")) {
        return Err(Attempt { way, outcome: "not asked, because HF_HUB_OFFLINE is set".to_owned() });
    }
    let Some(cache) = environment.hub_cache() else {
        return Err(Attempt { way, outcome: "there is no cache folder to download to".to_owned() });
    };
    let token = environment.hub_token();
    download_repository(endpoint, token.as_deref(), &repository_folder(&cache, name), name)
        .map_err(|error| Attempt { way, outcome: error.to_string() })
}

/// Why a repository could not be downloaded.
#[derive(Debug, thiserror::Error)]
enum HubError {
    #[error(transparent)]
    Download(#[from] DownloadError),
    #[error("the answer about {name} cannot be read ({source})")]
    Answer { name: HubName, source: serde_json::Error },
    #[error(
        "{name} holds no model that can be read here (safetensors with tokenizer.json, or a single GGUF file)"
    )]
    NoModel { name: HubName },
    #[error("the hub names a file outside the repository: {file}")]
    Outside { file: String },
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
}

fn download_repository(
    endpoint: &str,
    token: Option<&str>,
    folder: &Path,
    name: &HubName,
) -> Result<PathBuf, HubError> {
    let answer = download::text(&format!("{endpoint}/api/models/{name}/revision/main?blobs=true"), token)?;
    let repository: Repository =
        serde_json::from_str(&answer).map_err(|source| HubError::Answer { name: name.clone(), source })?;
    let wanted = choose(&repository.siblings).ok_or_else(|| HubError::NoModel { name: name.clone() })?;
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\\', ':']);
    for file in wanted.iter().map(|file| &file.rfilename).chain([&repository.sha]) {
        if !plain(file) {
            return Err(HubError::Outside { file: file.clone() });
        }
    }

    // Everything arrives in a folder beside, which disappears on failure.
    let disk = |path: &Path| {
        let path = path.to_owned();
        move |source| HubError::Disk { path, source }
    };
    fs::create_dir_all(folder).map_err(disk(folder))?;
    let partial = tempfile::Builder::new().prefix(".irtune-").tempdir_in(folder).map_err(disk(folder))?;
    for file in &wanted {
        let target = partial.path().join(&file.rfilename);
        let url = format!("{endpoint}/{name}/resolve/{}/{}", repository.sha, file.rfilename);
        download::file(&url, token, &target, file.size)?;
        if let Some(large) = &file.lfs {
            download::verify(&target, &large.sha256)?;
        }
    }
    let snapshot = folder.join("snapshots").join(&repository.sha);
    fs::create_dir_all(&snapshot).map_err(disk(&snapshot))?;
    for file in &wanted {
        let target = snapshot.join(&file.rfilename);
        fs::rename(partial.path().join(&file.rfilename), &target).map_err(disk(&target))?;
    }
    let references = folder.join("refs");
    fs::create_dir_all(&references).map_err(disk(&references))?;
    fs::write(references.join("main"), &repository.sha).map_err(disk(&references))?;
    usable(&snapshot).ok_or_else(|| HubError::NoModel { name: name.clone() })
}

/// The files to download: safetensors with what belongs to them, else a single GGUF.
fn choose(files: &[RemoteFile]) -> Option<Vec<RemoteFile>> {
    let named = |name: &str| files.iter().find(|file| file.rfilename == name).cloned();
    if let (Some(config), Some(tokenizer)) = (named("config.json"), named("tokenizer.json")) {
        let mut wanted = vec![config, tokenizer];
        wanted.extend(named("tokenizer_config.json"));
        if let Some(single) = named(SINGLE) {
            wanted.push(single);
            return Some(wanted);
        }
        if let Some(index) = named(INDEX) {
            wanted.push(index);
            let shard = |name: &str| name.starts_with("model-") && name.ends_with(".safetensors");
            wanted.extend(files.iter().filter(|file| shard(&file.rfilename)).cloned());
            return Some(wanted);
        }
    }
    let mut quantised = files.iter().filter(|file| is_gguf(&file.rfilename));
    let only = quantised.next()?;
    quantised.next().is_none().then(|| vec![only.clone()])
}

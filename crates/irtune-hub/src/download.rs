//! Downloading a repository of the Hugging Face hub into its cache.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use irtune_files::{Disk, Files as _, WriteError, replace_file};
use serde::Deserialize;

use crate::{
    Attempt, Event, Fetch, FetchError, HubConfig, HubName, Observer,
    cache::{INDEX, SINGLE, is_gguf, repository_folder, usable},
    checksum::{self, ChecksumError},
};

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

/// Downloads a repository's model files into the cache.
///
/// # Errors
/// The attempt, with why it failed.
pub(crate) fn fetch(
    name: &HubName,
    config: &HubConfig,
    fetch: &dyn Fetch,
    observer: &mut dyn Observer,
) -> Result<PathBuf, Attempt> {
    let way = "the Hugging Face hub".to_owned();
    if config.offline {
        return Err(Attempt { way, outcome: "not asked, because HF_HUB_OFFLINE is set".to_owned() });
    }
    let Some(cache) = &config.hub_cache else {
        return Err(Attempt { way, outcome: "there is no cache folder to download to".to_owned() });
    };
    let hub = Hub { name, config, fetch };
    hub.download(&repository_folder(cache, name), observer)
        .map_err(|error| Attempt { way, outcome: error.to_string() })
}

/// Why a repository could not be downloaded.
#[derive(Debug, thiserror::Error)]
enum HubError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the answer about {name} cannot be read ({source})")]
    Answer { name: HubName, source: serde_json::Error },
    #[error(
        "{name} holds no model that can be read here (safetensors with tokenizer.json, or a single GGUF file)"
    )]
    NoModel { name: HubName },
    #[error("the hub names a file outside the repository: {file}")]
    Outside { file: String },
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
}

/// A repository on the hub, and what it is asked through.
struct Hub<'a> {
    name: &'a HubName,
    config: &'a HubConfig,
    fetch: &'a dyn Fetch,
}

impl Hub<'_> {
    /// Downloads the model files into the repository's folder in the cache; gives the snapshot.
    fn download(&self, folder: &Path, observer: &mut dyn Observer) -> Result<PathBuf, HubError> {
        let (repository, wanted) = self.listing()?;
        // Everything arrives in a folder beside, which disappears on failure.
        let disk = |path: &Path| {
            let path = path.to_owned();
            move |source| HubError::Disk { path, source }
        };
        fs::create_dir_all(folder).map_err(disk(folder))?;
        let partial = tempfile::Builder::new().prefix(".irtune-").tempdir_in(folder).map_err(disk(folder))?;
        for file in &wanted {
            let target = partial.path().join(&file.rfilename);
            self.file(&repository.sha, file, &target, observer)?;
        }
        let snapshot = folder.join("snapshots").join(&repository.sha);
        fs::create_dir_all(&snapshot).map_err(disk(&snapshot))?;
        for file in &wanted {
            let (arrived, target) = (partial.path().join(&file.rfilename), snapshot.join(&file.rfilename));
            Disk.sync(&arrived).and_then(|()| Disk.rename(&arrived, &target)).map_err(disk(&target))?;
        }
        let references = folder.join("refs");
        fs::create_dir_all(&references).map_err(disk(&references))?;
        replace_file(&Disk, &references.join("main"), &mut |writer| {
            writer.write_all(repository.sha.as_bytes())
        })?;
        usable(&snapshot).ok_or_else(|| HubError::NoModel { name: self.name.clone() })
    }

    /// What the repository holds, and which of its files are wanted; none of their names leaves its folder.
    fn listing(&self) -> Result<(Repository, Vec<RemoteFile>), HubError> {
        let Hub { name, config: HubConfig { endpoint, token, .. }, fetch } = self;
        let url = format!("{endpoint}/api/models/{name}/revision/main?blobs=true");
        let answer = fetch.text(&url, token.as_deref())?;
        let repository: Repository = serde_json::from_str(&answer)
            .map_err(|source| HubError::Answer { name: (*name).clone(), source })?;
        let wanted =
            choose(&repository.siblings).ok_or_else(|| HubError::NoModel { name: (*name).clone() })?;
        let plain =
            |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\\', ':']);
        let outside =
            wanted.iter().map(|file| &file.rfilename).chain([&repository.sha]).find(|file| !plain(file));
        match outside {
            Some(file) => Err(HubError::Outside { file: file.clone() }),
            None => Ok((repository, wanted)),
        }
    }

    /// Downloads one file and checks it, where the hub says what it must be.
    fn file(
        &self,
        commit: &str,
        file: &RemoteFile,
        target: &Path,
        observer: &mut dyn Observer,
    ) -> Result<(), HubError> {
        let Hub { name, config: HubConfig { endpoint, token, .. }, fetch } = self;
        let url = format!("{endpoint}/{name}/resolve/{commit}/{}", file.rfilename);
        let mut arrived =
            |done| observer.event(Event::Downloading { file: &file.rfilename, done, total: file.size });
        let fetched = fetch.file(&url, token.as_deref(), target, &mut arrived);
        observer.event(Event::DownloadEnded);
        fetched?;
        match &file.lfs {
            Some(large) => Ok(checksum::verify(target, &large.sha256)?),
            None => Ok(()),
        }
    }
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

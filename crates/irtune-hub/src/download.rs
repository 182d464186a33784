//! Downloading a model of the Hugging Face hub into its cache.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use irtune_files::{Disk, WriteError, replace_file};

use crate::{
    Attempt, Fetch, FetchError, HubConfig, HubModel, Observer,
    blob::{self, BlobError, Transfer},
    cache::{INDEX, SINGLE, folder_name, reference_file, repository_folder, shards_of, usable},
    gguf_names::{self, NotChosen},
    listing::{RemoteFile, Repository, is_plain},
};

/// What belongs to a model in safetensors beside its weights: what must be there, and what may be.
const NEEDED: [&str; 2] = ["config.json", "tokenizer.json"];
const USEFUL: [&str; 2] = ["tokenizer_config.json", "chat_template.jinja"];

/// Downloads a model's files into the cache, and no others of its repository.
///
/// # Errors
/// The attempt, with why it failed.
pub(crate) fn fetch(
    model: &HubModel,
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
    let hub = Hub { model, config, fetch };
    hub.download(cache, observer).map_err(|error| Attempt { way, outcome: error.to_string() })
}

/// Why a model could not be downloaded.
#[derive(Debug, thiserror::Error)]
enum HubError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the answer about {} cannot be read ({source})", model.name)]
    Answer { model: Box<HubModel>, source: serde_json::Error },
    #[error("{} is not on the hub, or private: {said}", model.name)]
    NoRepository { model: Box<HubModel>, said: String },
    #[error("{} has no revision {}: {said}", model.name, model.revision())]
    NoRevision { model: Box<HubModel>, said: String },
    #[error(
        "{said}. Where its publisher asks for it, accept its terms at {endpoint}/{}, then give a token of yours in HF_TOKEN",
        model.name
    )]
    NoAccess { model: Box<HubModel>, endpoint: String, said: String },
    #[error(
        "{} holds no model that can be read here, which is safetensors with config.json and tokenizer.json, or a GGUF file; {}",
        model.name, instead(files)
    )]
    NoModel { model: Box<HubModel>, files: Vec<String> },
    #[error("{} holds several GGUF files ({}): say which by its end, such as {}", model.name, files.join(", "), example(model, files))]
    Several { model: Box<HubModel>, files: Vec<String> },
    #[error("{} has no GGUF file that ends so, but {}", model.without_prefix(), files.join(", "))]
    NoneOf { model: Box<HubModel>, files: Vec<String> },
    #[error("{INDEX} names {shard}, which is not in {}", model.name)]
    NoShard { model: Box<HubModel>, shard: String },
    #[error("the hub names a file outside the repository: {file}")]
    Outside { file: String },
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
}

/// What a repository without a model has.
fn instead(files: &[String]) -> String {
    let has = |end: &str| files.iter().any(|file| file.ends_with(end));
    if has(".safetensors") && !has("tokenizer.json") {
        "it has no tokenizer.json: look for a repository of the same model that has one, or a GGUF file of it"
            .to_owned()
    } else if has("adapter_config.json") {
        "it is an adapter: give the base that it was trained on".to_owned()
    } else if has(".bin") || has(".pth") || has(".pt") {
        "it has PyTorch's own files, which run code when they are read: look for a revision or a repository with safetensors".to_owned()
    } else {
        format!("it has {} other files", files.len())
    }
}

/// How one of several GGUF files is asked for.
fn example(model: &HubModel, files: &[String]) -> String {
    let likely = |file: &&String| file.to_ascii_lowercase().contains("q4_k_m");
    let file = files.iter().find(likely).or(files.first());
    let stem = file.map_or("", |file| file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem));
    let end = stem.rsplit(['-', '.']).next().unwrap_or(stem);
    HubModel { quantisation: Some(end.to_owned()), ..model.clone() }.to_string()
}

/// A model on the hub, and what it is asked through.
struct Hub<'a> {
    model: &'a HubModel,
    config: &'a HubConfig,
    fetch: &'a dyn Fetch,
}

impl Hub<'_> {
    /// The model, for an error.
    fn model(&self) -> Box<HubModel> {
        Box::new(self.model.clone())
    }

    /// Downloads the model's files into the cache; gives the model.
    fn download(&self, cache: &Path, observer: &mut dyn Observer) -> Result<PathBuf, HubError> {
        let repository = self.listing()?;
        let into = Place {
            repository: repository_folder(cache, &self.model.name),
            locks: cache.join(".locks").join(folder_name(&self.model.name)),
            snapshot: repository_folder(cache, &self.model.name).join("snapshots").join(&repository.sha),
        };
        fs::create_dir_all(&into.snapshot).map_err(disk(&into.snapshot))?;
        // Weights come last: a snapshot that has them has everything.
        for file in self.choose(&repository)? {
            self.place(&repository, file, &into, observer)?;
            if file.name() == INDEX {
                for shard in self.shards(&repository, &into.snapshot)? {
                    self.place(&repository, shard, &into, observer)?;
                }
            }
        }
        if repository.sha != self.model.revision() {
            let reference = reference_file(&into.repository, self.model.revision());
            let folder = reference.parent().unwrap_or(&into.repository);
            fs::create_dir_all(folder).map_err(disk(folder))?;
            replace_file(&Disk, &reference, &mut |writer| writer.write_all(repository.sha.as_bytes()))?;
        }
        let quantisation = self.model.quantisation.as_deref();
        usable(&into.snapshot, quantisation).ok_or_else(|| self.no_model(&repository))
    }

    /// What the repository holds at the revision that is asked for.
    fn listing(&self) -> Result<Repository, HubError> {
        let HubConfig { endpoint, token, .. } = self.config;
        let revision = self.model.revision().replace('/', "%2F");
        let url = format!("{endpoint}/api/models/{}/revision/{revision}?blobs=true", self.model.name);
        let answer = self.fetch.text(&url, token.as_deref()).map_err(|error| self.refused(error))?;
        let repository: Repository = serde_json::from_str(&answer)
            .map_err(|source| HubError::Answer { model: self.model(), source })?;
        match is_plain(&repository.sha) {
            true => Ok(repository),
            false => Err(HubError::Outside { file: repository.sha }),
        }
    }

    /// What the hub's refusal means. It hides what is private, so a wrong name and a missing token look alike.
    fn refused(&self, error: FetchError) -> HubError {
        let FetchError::Status { status, code, .. } = &error else { return error.into() };
        let (model, said) = (self.model(), error.to_string());
        let endpoint = self.config.endpoint.clone();
        match (code.as_deref(), status) {
            (Some("RevisionNotFound"), _) => HubError::NoRevision { model, said },
            (Some("GatedRepo"), _) | (_, 403) => HubError::NoAccess { model, endpoint, said },
            (Some("RepoNotFound"), _) | (None, 401 | 404) => HubError::NoRepository { model, said },
            _ => error.into(),
        }
    }

    /// The files that the model consists of, its weights last; instead of shards their index.
    fn choose<'a>(&self, repository: &'a Repository) -> Result<Vec<&'a RemoteFile>, HubError> {
        let weights = repository.file(SINGLE).or_else(|| repository.file(INDEX));
        let needed: Option<Vec<_>> = NEEDED.iter().map(|name| repository.file(name)).collect();
        if let (None, Some(mut files), Some(weights)) = (&self.model.quantisation, needed, weights) {
            files.extend(USEFUL.iter().filter_map(|name| repository.file(name)));
            files.push(weights);
            return Ok(files);
        }
        let (model, names) = (self.model(), repository.names().filter(|name| is_plain(name)));
        let name = gguf_names::choose(names, self.model.quantisation.as_deref());
        let name = name.map_err(|problem| match problem {
            NotChosen::NoFile => self.no_model(repository),
            NotChosen::Several(files) => HubError::Several { model, files },
            NotChosen::NoneOf(files) => HubError::NoneOf { model, files },
        })?;
        Ok(repository.file(name).into_iter().collect())
    }

    /// The shards that the index names.
    fn shards<'a>(
        &self,
        repository: &'a Repository,
        snapshot: &Path,
    ) -> Result<Vec<&'a RemoteFile>, HubError> {
        let index = snapshot.join(INDEX);
        let index = fs::read_to_string(&index).map_err(disk(&index))?;
        let shards = shards_of(&index).into_iter().map(|shard| {
            if !is_plain(&shard) {
                return Err(HubError::Outside { file: shard });
            }
            repository.file(&shard).ok_or_else(|| HubError::NoShard { model: self.model(), shard })
        });
        shards.collect()
    }

    /// Downloads one file and puts it into the snapshot.
    fn place(
        &self,
        repository: &Repository,
        file: &RemoteFile,
        into: &Place,
        observer: &mut dyn Observer,
    ) -> Result<(), HubError> {
        if into.snapshot.join(file.name()).exists() {
            return Ok(());
        }
        let HubConfig { endpoint, token, .. } = self.config;
        let transfer = Transfer {
            file,
            url: format!("{endpoint}/{}/resolve/{}/{}", self.model.name, repository.sha, file.name()),
            token: token.as_deref(),
            fetch: self.fetch,
            repository: &into.repository,
            locks: &into.locks,
        };
        let blob = transfer.blob(observer).map_err(|error| match error {
            BlobError::Fetch(error) => self.refused(error),
            error => error.into(),
        })?;
        Ok(blob::link(&blob, &into.snapshot, file.name())?)
    }

    fn no_model(&self, repository: &Repository) -> HubError {
        let files = repository.names().map(str::to_owned).collect();
        HubError::NoModel { model: self.model(), files }
    }
}

/// Folders in the cache.
struct Place {
    /// Of the repository.
    repository: PathBuf,
    /// Of the repository's locks.
    locks: PathBuf,
    /// Of the files at the commit.
    snapshot: PathBuf,
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> HubError {
    let path = path.to_owned();
    move |source| HubError::Disk { path, source }
}

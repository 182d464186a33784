//! What a repository on the hub holds, as the hub tells it.
//!
//! # Source
//! `GET /api/models/{name}/revision/{revision}?blobs=true`, as `RepoSibling` in `huggingface_hub/hf_api.py` reads it.

use serde::Deserialize;

use crate::checksum::Hash;

/// A repository at one commit.
#[derive(Debug, Deserialize)]
pub(crate) struct Repository {
    /// The commit.
    pub(crate) sha: String,
    siblings: Vec<RemoteFile>,
}

/// A file of a repository.
#[derive(Debug, Deserialize)]
pub(crate) struct RemoteFile {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob: Option<String>,
    lfs: Option<LargeFile>,
}

#[derive(Debug, Deserialize)]
struct LargeFile {
    sha256: String,
    size: Option<u64>,
}

impl Repository {
    /// The names of all files.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.siblings.iter().map(RemoteFile::name)
    }

    /// A file by its name.
    pub(crate) fn file(&self, name: &str) -> Option<&RemoteFile> {
        self.siblings.iter().find(|file| file.rfilename == name)
    }
}

impl RemoteFile {
    /// Its path in the repository.
    pub(crate) fn name(&self) -> &str {
        &self.rfilename
    }

    /// Its length, where the hub says.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.lfs.as_ref().and_then(|large| large.size).or(self.size)
    }

    /// What it must hash to, which is also the name of its blob. Large files lie beside git and are named by SHA-256.
    pub(crate) fn hash(&self) -> Option<Hash<'_>> {
        match &self.lfs {
            Some(large) => Hash::sha256(&large.sha256),
            None => Hash::git_blob(self.blob.as_deref()?),
        }
    }
}

/// Whether a name stays in the folder that it is put into, and the name of no hidden file.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':'])
}

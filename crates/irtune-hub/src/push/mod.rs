//! Files as one commit of a repository on the Hugging Face hub.
//!
//! # Source
//! `create_repo`, `create_branch` and `create_commit` in `huggingface_hub/hf_api.py`, `_commit_api.py` and `lfs.py`.

mod commit;
mod content;
mod error;
mod hub;
mod large;
mod repository;

use crate::{HubConfig, HubName, Observer, Upload};
use commit::Committed;
pub use content::{PushContent, PushFile};
pub use error::PushError;
use hub::Hub;

/// What is put where.
#[derive(Debug, Clone, Copy)]
pub struct PushRequest<'a> {
    /// The repository; made where it isn't there.
    pub name: &'a HubName,
    /// Its branch; made where it isn't there.
    pub revision: &'a str,
    /// Whether nobody else may see the repository.
    pub private: bool,
    /// What the commit is called.
    pub message: &'a str,
    /// The files, which take the place of those of the same names. Others of the repository stay.
    pub files: &'a [PushFile],
}

/// What was put there.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Pushed {
    /// The repository's page.
    pub repository: String,
    /// The commit that holds the files.
    pub commit: String,
    /// Whether the repository was made.
    pub created: bool,
    /// Names of the files that were sent.
    pub sent: Vec<String>,
    /// Names of those that were there already.
    pub unchanged: Vec<String>,
    /// Names of those that the repository's `.gitignore` keeps out.
    pub ignored: Vec<String>,
}

/// Puts files on the hub as one commit. What is there already is not sent; nothing is committed where all of it is.
///
/// # Errors
/// When there is no token, the hub refuses, a file can't be read, or the connection breaks several times. Large files that
/// the hub has by then are not sent again the next time.
pub fn push(
    request: &PushRequest<'_>,
    config: &HubConfig,
    upload: &dyn Upload,
    observer: &mut dyn Observer,
) -> Result<Pushed, PushError> {
    if config.offline {
        return Err(PushError::Offline);
    }
    let token = config.token.as_deref().ok_or_else(|| PushError::no_token(&config.endpoint))?;
    let hub = Hub { name: request.name, endpoint: &config.endpoint, token, upload };
    let created = repository::make(&hub, request.private)?;
    if request.revision != "main" && !request.revision.starts_with("refs/") {
        repository::make_branch(&hub, request.revision)?;
    }
    let Committed { commit, sent, unchanged, ignored } = commit::commit(&hub, request, observer)?;
    let repository = format!("{}/{}", config.endpoint, request.name);
    Ok(Pushed { repository, commit, created, sent, unchanged, ignored })
}

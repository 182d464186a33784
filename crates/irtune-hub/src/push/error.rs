//! Why files are not on the hub.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{FetchError, HubName};

/// Why files are not on the hub.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// It was said that the hub is not to be asked.
    #[error("the hub is not asked, because HF_HUB_OFFLINE is set")]
    Offline,
    /// Without a token nothing can be written.
    #[error(
        "there is no access token: make one that may write at {endpoint}/settings/tokens, then set HF_TOKEN, or log in with `hf auth login`"
    )]
    NoToken {
        /// The hub's address.
        endpoint: String,
    },
    /// The token may not do that.
    #[error(
        "this token may not write to {name}: {said}. Make one that may write there at {endpoint}/settings/tokens, then give it in HF_TOKEN"
    )]
    NoAccess {
        /// The repository.
        name: Box<HubName>,
        /// The hub's address.
        endpoint: String,
        /// The hub's words.
        said: String,
    },
    /// The repository is there, and everyone may see it.
    #[error(
        "{name} is there already and public, so what is sent would not be private; make it private at {endpoint}/{name}/settings, or choose another name"
    )]
    Public {
        /// The repository.
        name: Box<HubName>,
        /// The hub's address.
        endpoint: String,
    },
    /// The hub refuses.
    #[error("{what}: {said}")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// The hub's words.
        said: String,
    },
    /// The hub answers with something else.
    #[error("{what}: the hub's answer can't be read ({problem})")]
    Answer {
        /// What was asked of it.
        what: &'static str,
        /// What is wrong with the answer.
        problem: String,
    },
    /// The connection broke again and again.
    #[error(
        "{what}: the connection broke {attempts} times ({message}); the same command sends what is missing"
    )]
    Broken {
        /// What was asked of the hub.
        what: &'static str,
        /// How often it was tried.
        attempts: usize,
        /// What was said the last time.
        message: String,
    },
    /// The request can't be sent.
    #[error(transparent)]
    Send(#[from] FetchError),
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl PushError {
    pub(super) fn no_token(endpoint: &str) -> Self {
        Self::NoToken { endpoint: endpoint.to_owned() }
    }

    pub(super) fn disk(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk { path, source }
    }
}

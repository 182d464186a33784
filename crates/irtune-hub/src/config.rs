//! Where bases are looked for.

use std::path::PathBuf;

/// The Hugging Face hub's address.
pub const ENDPOINT: &str = "https://huggingface.co";

/// Where bases are looked for, and how the hub is asked. The caller decides where these values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// The cache that Hugging Face's libraries share (`HF_HUB_CACHE`); none when there is no home folder.
    pub hub_cache: Option<PathBuf>,
    /// irtune's own cache, for files out of Python packages (`IRTUNE_CACHE`); none when there is no home folder.
    pub own_cache: Option<PathBuf>,
    /// The hub's address, without a slash at its end (`HF_ENDPOINT`).
    pub endpoint: String,
    /// The user's access token (`HF_TOKEN`).
    pub token: Option<String>,
    /// Whether the hub is not to be asked (`HF_HUB_OFFLINE`).
    pub offline: bool,
}

impl Default for HubConfig {
    /// No caches and no token, and the public hub.
    fn default() -> Self {
        Self { hub_cache: None, own_cache: None, endpoint: ENDPOINT.to_owned(), token: None, offline: false }
    }
}

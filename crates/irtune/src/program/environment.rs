//! The process environment, read once so that everything after it is a plain function of values.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use irtune_hub::{ENDPOINT, HubConfig};

/// Environment variables and the user's home folder.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
}

impl Environment {
    /// Reads the environment of this process; variables that are not Unicode are left out.
    pub fn read() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { variables, home: std::env::home_dir() }
    }

    /// The value of a variable, if it is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Every set variable, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Where bases are looked for, and how the hub is asked.
    pub fn hub(&self) -> HubConfig {
        let endpoint = self.get("HF_ENDPOINT").unwrap_or(ENDPOINT).trim_end_matches('/').to_owned();
        let offline = self.is_on("HF_HUB_OFFLINE") || self.is_on("TRANSFORMERS_OFFLINE");
        HubConfig {
            hub_cache: self.hub_cache(),
            own_cache: self.cache(),
            endpoint,
            token: self.hub_token(),
            offline,
        }
    }

    /// The user's home folder.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Whether a variable says yes.
    fn is_on(&self, name: &str) -> bool {
        let no = |value: &str| matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "off");
        self.get(name).is_some_and(|value| !no(value))
    }

    /// The folder for files that can be fetched again: `IRTUNE_CACHE`, else the platform's.
    pub fn cache(&self) -> Option<PathBuf> {
        if let Some(folder) = self.get("IRTUNE_CACHE") {
            return Some(PathBuf::from(folder));
        }
        let platform = if cfg!(windows) {
            self.get("LOCALAPPDATA").map(PathBuf::from)
        } else if cfg!(target_os = "macos") {
            self.home.as_ref().map(|home| home.join("Library").join("Caches"))
        } else {
            self.get("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| self.home.as_ref().map(|home| home.join(".cache")))
        };
        platform.map(|folder| folder.join("irtune"))
    }

    /// Where Hugging Face's libraries keep downloaded models.
    fn hub_cache(&self) -> Option<PathBuf> {
        let given = self.get("HF_HUB_CACHE").or_else(|| self.get("HUGGINGFACE_HUB_CACHE"));
        if let Some(folder) = given {
            return Some(PathBuf::from(folder));
        }
        self.hub_home().map(|folder| folder.join("hub"))
    }

    /// The access token for the hub, if the user has one.
    fn hub_token(&self) -> Option<String> {
        if let Some(token) = self.get("HF_TOKEN").or_else(|| self.get("HUGGING_FACE_HUB_TOKEN")) {
            return Some(token.trim().to_owned());
        }
        if self.is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
            return None;
        }
        let file = match self.get("HF_TOKEN_PATH") {
            Some(file) => PathBuf::from(file),
            None => self.hub_home()?.join("token"),
        };
        let stored = irtune_files::read_text(&file).ok()?;
        Some(stored.trim().to_owned()).filter(|token| !token.is_empty())
    }

    fn hub_home(&self) -> Option<PathBuf> {
        if let Some(folder) = self.get("HF_HOME") {
            return Some(PathBuf::from(folder));
        }
        let cache = match self.get("XDG_CACHE_HOME") {
            Some(folder) => PathBuf::from(folder),
            None => self.home.as_ref()?.join(".cache"),
        };
        Some(cache.join("huggingface"))
    }

    /// An environment made of the given variables alone.
    #[cfg(test)]
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        Self { variables, home: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hugging_face_folders_follow_its_variables() {
        let by_home = Environment::of([("HF_HOME", "/models")]);
        assert_eq!(by_home.hub_cache(), Some(PathBuf::from("/models/hub")));
        let by_cache = Environment::of([("HF_HOME", "/models"), ("HF_HUB_CACHE", "/hub")]);
        assert_eq!(by_cache.hub_cache(), Some(PathBuf::from("/hub")));
        assert_eq!(Environment::of([]).hub_cache(), None);
    }

    #[test]
    fn the_hub_is_asked_as_its_variables_say() {
        let plain = Environment::of([]).hub();
        assert_eq!(plain, HubConfig::default());
        let set = Environment::of([
            ("HF_ENDPOINT", "http://mirror/"),
            ("HF_TOKEN", "secret"),
            ("HF_HUB_OFFLINE", "1"),
            ("IRTUNE_CACHE", "/own"),
        ]);
        assert_eq!(
            set.hub(),
            HubConfig {
                hub_cache: None,
                own_cache: Some("/own".into()),
                endpoint: "http://mirror".to_owned(),
                token: Some("secret".to_owned()),
                offline: true,
            }
        );
        assert!(!Environment::of([("HF_HUB_OFFLINE", "0")]).hub().offline);
        assert!(Environment::of([("TRANSFORMERS_OFFLINE", "1")]).hub().offline);
    }

    #[test]
    fn a_stored_token_is_read_unless_that_is_forbidden() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "stored\n").unwrap();
        std::fs::write(folder.path().join("other"), "other").unwrap();
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (home, other) = (path(""), path("other"));
        let token = |variables: [(&str, &str); 2]| Environment::of(variables).hub_token();
        let home = ("HF_HOME", home.as_str());
        assert_eq!(token([home, ("HF_ENDPOINT", "x")]).as_deref(), Some("stored"));
        assert_eq!(token([home, ("HF_TOKEN_PATH", &other)]).as_deref(), Some("other"));
        assert_eq!(token([home, ("HF_TOKEN", " given ")]).as_deref(), Some("given"));
        assert_eq!(token([home, ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")]), None);
    }

    #[test]
    fn own_cache_can_be_moved() {
        let moved = Environment::of([("IRTUNE_CACHE", "/elsewhere")]);
        assert_eq!(moved.cache(), Some(PathBuf::from("/elsewhere")));
    }
}

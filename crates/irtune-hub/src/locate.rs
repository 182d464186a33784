//! Where the base model is: a path, an alias, the Hugging Face hub, or a Python package.

use std::{fmt, path::PathBuf};

use crate::{Fetch, HubConfig, HubModel, Observer, Package, Reference, cache, download, package};

/// A base model's place on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The model folder, or its GGUF file.
    pub path: PathBuf,
    /// How it was found.
    pub origin: Origin,
}

/// The way by which a base model was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A path that the user gave.
    Path,
    /// Already in the Hugging Face cache.
    HubCache,
    /// Downloaded from the hub just now.
    Hub,
    /// Already in irtune's own cache.
    OwnCache,
    /// Fetched just now with the user's pip.
    Package,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Path => "local path",
            Self::HubCache => "Hugging Face cache",
            Self::Hub => "downloaded from the Hugging Face hub",
            Self::OwnCache => "irtune's cache",
            Self::Package => "fetched with pip",
        })
    }
}

/// One way that was tried and did not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What was tried.
    pub way: String,
    /// Why it gave nothing.
    pub outcome: String,
}

/// Why a base model could not be found.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// The user's path leads nowhere.
    #[error("there is no file or folder {path}")]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// Every way of getting the base failed.
    #[error("no way of getting the base {base} worked:{}", list(attempts))]
    Unavailable {
        /// The base as asked for.
        base: String,
        /// What was tried, in order.
        attempts: Vec<Attempt>,
    },
}

fn list(attempts: &[Attempt]) -> String {
    attempts.iter().map(|attempt| format!("\n  - {}: {}", attempt.way, attempt.outcome)).collect()
}

/// Finds the base on this machine, fetching it when it is not there yet.
///
/// # Errors
/// [`LocateError`] with every way that was tried.
pub fn locate(
    reference: &Reference,
    config: &HubConfig,
    fetch: &dyn Fetch,
    observer: &mut dyn Observer,
) -> Result<Located, LocateError> {
    let (model, package) = match reference {
        Reference::Path(path) if path.exists() => {
            return Ok(Located { path: path.clone(), origin: Origin::Path });
        }
        Reference::Path(path) => return Err(LocateError::Missing { path: path.clone() }),
        Reference::Hub(model) => (model.clone(), None),
        Reference::Alias(alias) => (alias.hub(), alias.package.as_ref()),
    };
    let search = Search { model: &model, package, config, fetch };
    search
        .run(observer)
        .map_err(|attempts| LocateError::Unavailable { base: reference.to_string(), attempts })
}

/// A base on the hub, and the ways to it.
struct Search<'a> {
    model: &'a HubModel,
    package: Option<&'a Package>,
    config: &'a HubConfig,
    fetch: &'a dyn Fetch,
}

impl Search<'_> {
    /// Caches first, whichever they are: a machine without a network should not wait for one.
    fn run(&self, observer: &mut dyn Observer) -> Result<Located, Vec<Attempt>> {
        let Search { model, package, config, fetch } = *self;
        let mut attempts = Vec::new();
        match cache::cached(model, config) {
            Ok(path) => return Ok(Located { path, origin: Origin::HubCache }),
            Err(attempt) => attempts.push(attempt),
        }
        if let Some(path) = package.and_then(|package| package::cached(package, config)) {
            return Ok(Located { path, origin: Origin::OwnCache });
        }
        match download::fetch(model, config, fetch, observer) {
            Ok(path) => return Ok(Located { path, origin: Origin::Hub }),
            Err(attempt) => attempts.push(attempt),
        }
        if let Some(package) = package {
            match package::fetch(package, config, fetch, observer) {
                Ok(path) => return Ok(Located { path, origin: Origin::Package }),
                Err(failed) => attempts.extend(failed),
            }
        }
        Err(attempts)
    }
}

//! Where the base model comes from: a path, an alias, the Hugging Face hub, or a Python package.

mod alias;
mod download;
mod hub;
mod package;
mod reference;

use std::fmt;
use std::path::PathBuf;

pub use alias::{ALIASES, Alias};
pub use reference::{HubName, Reference};

use crate::environment::Environment;

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
pub fn locate(reference: &Reference, environment: &Environment) -> Result<Located, LocateError> {
    match reference {
        Reference::Path(path) if path.exists() => Ok(Located { path: path.clone(), origin: Origin::Path }),
        Reference::Path(path) => Err(LocateError::Missing { path: path.clone() }),
        Reference::Hub(name) => locate_on_hub(name, None, environment),
        Reference::Alias(alias) => locate_on_hub(&alias.hub(), alias.package.as_ref(), environment),
    }
    .map_err(|error| match error {
        LocateError::Unavailable { attempts, .. } => {
            LocateError::Unavailable { base: reference.to_string(), attempts }
        }
        other => other,
    })
}

/// Caches first, whichever they are: a machine without a network should not wait for one.
fn locate_on_hub(
    name: &HubName,
    package: Option<&alias::Package>,
    environment: &Environment,
) -> Result<Located, LocateError> {
    let mut attempts = Vec::new();
    match hub::cached(name, environment) {
        Ok(path) => return Ok(Located { path, origin: Origin::HubCache }),
        Err(attempt) => attempts.push(attempt),
    }
    if let Some(path) = package.and_then(|package| package::cached(package, environment)) {
        return Ok(Located { path, origin: Origin::OwnCache });
    }
    match hub::fetch(name, environment) {
        Ok(path) => return Ok(Located { path, origin: Origin::Hub }),
        Err(attempt) => attempts.push(attempt),
    }
    if let Some(package) = package {
        match package::fetch(package, environment) {
            Ok(path) => return Ok(Located { path, origin: Origin::Package }),
            Err(failed) => attempts.extend(failed),
        }
    }
    Err(LocateError::Unavailable { base: String::new(), attempts })
}

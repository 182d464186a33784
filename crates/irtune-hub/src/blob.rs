//! One file of a repository, from the hub into the cache: what has arrived is kept, checked and continued.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use irtune_files::{Disk, Files as _};

use crate::{
    Event, Fetch, FetchError, Observer,
    checksum::{self, ChecksumError, Hash},
    listing::RemoteFile,
};

/// Attempts in a row that may bring nothing.
const FRUITLESS: usize = 3;

/// Why a file is not in the cache.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlobError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Checksum(#[from] ChecksumError),
    #[error("{}: {source}", path.display())]
    Disk { path: PathBuf, source: io::Error },
    #[error("{file}: the connection broke after {arrived}{} bytes ({message}); the same command goes on from there", of(*total))]
    Broken { file: String, arrived: u64, total: Option<u64>, message: String },
    #[error("{file} arrived with {arrived} bytes where the hub says {expected}")]
    Length { file: String, arrived: u64, expected: u64 },
    #[error("the hub names no hash of {file}, so it can't be checked")]
    NoHash { file: String },
}

fn of(total: Option<u64>) -> String {
    total.map_or_else(String::new, |total| format!(" of {total}"))
}

/// Where a file comes from and goes to.
pub(crate) struct Transfer<'a> {
    pub(crate) file: &'a RemoteFile,
    pub(crate) url: String,
    pub(crate) token: Option<&'a str>,
    pub(crate) fetch: &'a dyn Fetch,
    /// The repository's folder in the cache.
    pub(crate) repository: &'a Path,
    /// The folder of its locks.
    pub(crate) locks: &'a Path,
}

impl Transfer<'_> {
    /// Makes sure that the blob is there and whole; gives its path.
    ///
    /// Another process that wants the same blob waits for this one. What has arrived stays as `HASH.incomplete` when the
    /// connection breaks, so that the next attempt goes on from there.
    pub(crate) fn blob(&self, observer: &mut dyn Observer) -> Result<PathBuf, BlobError> {
        let file = || self.file.name().to_owned();
        let hash = self.file.hash().ok_or_else(|| BlobError::NoHash { file: file() })?;
        let blobs = self.repository.join("blobs");
        let blob = blobs.join(hash.text());
        for folder in [&blobs, self.locks] {
            fs::create_dir_all(folder).map_err(disk(folder))?;
        }
        let _lock = lock(&self.locks.join(format!("{}.lock", hash.text())));
        if blob.exists() {
            return Ok(blob);
        }
        let partial = blobs.join(format!("{}.incomplete", hash.text()));
        let begun = length(&partial) > 0;
        let mut arrived = self.arrive(&partial, hash, observer);
        if begun && matches!(arrived, Err(BlobError::Checksum(_) | BlobError::Length { .. })) {
            // The beginning, from another time, may be what is wrong.
            remove(&partial)?;
            arrived = self.arrive(&partial, hash, observer);
        }
        if matches!(arrived, Err(BlobError::Checksum(_) | BlobError::Length { .. })) {
            remove(&partial)?;
        }
        arrived?;
        Disk.sync(&partial).and_then(|()| Disk.rename(&partial, &blob)).map_err(disk(&blob))?;
        Ok(blob)
    }

    /// Fetches what is missing, and checks all of it.
    fn arrive(&self, partial: &Path, hash: Hash<'_>, observer: &mut dyn Observer) -> Result<(), BlobError> {
        let total = self.file.bytes();
        if total.is_none_or(|total| length(partial) < total) || !partial.exists() {
            let transferred = self.transfer(partial, observer);
            observer.event(Event::TransferEnded);
            transferred?;
        }
        let arrived = length(partial);
        if let Some(expected) = total.filter(|&total| total != arrived) {
            return Err(BlobError::Length { file: self.file.name().to_owned(), arrived, expected });
        }
        Ok(checksum::verify(partial, self.file.name(), hash)?)
    }

    /// Fetches again and again while each attempt brings something.
    fn transfer(&self, partial: &Path, observer: &mut dyn Observer) -> Result<(), BlobError> {
        let (name, total) = (self.file.name(), self.file.bytes());
        let mut fruitless = 0;
        loop {
            let before = length(partial);
            let mut told = |done| observer.event(Event::Downloading { file: name, done, total });
            let message = match self.fetch.file(&self.url, self.token, partial, &mut told) {
                // Some servers end a transfer early without an error.
                Ok(()) if total.is_none_or(|total| length(partial) >= total) => return Ok(()),
                Ok(()) => "the server ended the transfer early".to_owned(),
                Err(FetchError::NoRanges | FetchError::Status { status: 416, .. }) if before > 0 => {
                    remove(partial)?;
                    continue;
                }
                Err(FetchError::Broken { message }) => message,
                Err(error @ FetchError::Status { status: 429 | 500..=599, .. }) => error.to_string(),
                Err(error) => return Err(error.into()),
            };
            let arrived = length(partial);
            fruitless = if arrived > before { 0 } else { fruitless + 1 };
            if fruitless == FRUITLESS {
                return Err(BlobError::Broken { file: name.to_owned(), arrived, total, message });
            }
            if fruitless > 0 {
                self.fetch.pause();
            }
        }
    }
}

/// Makes a file of a snapshot a link to its blob. Where there are no links the blob itself moves there, as in
/// `huggingface_hub`.
pub(crate) fn link(blob: &Path, snapshot: &Path, name: &str) -> Result<(), BlobError> {
    let pointer = snapshot.join(name);
    if pointer.exists() {
        return Ok(());
    }
    // It may be a link to a blob that is gone.
    remove(&pointer)?;
    let target = Path::new("..").join("..").join("blobs").join(blob.file_name().unwrap_or_default());
    if symlink(&target, &pointer).is_err() {
        Disk.rename(blob, &pointer).map_err(disk(&pointer))?;
    }
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &Path, pointer: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, pointer)
}

/// Windows asks for a right that few users have.
#[cfg(not(unix))]
fn symlink(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Waits until no other process fetches the same. Where files can't be locked there is no wait, and the blob is still
/// checked before it gets its name.
fn lock(path: &Path) -> Option<File> {
    let file = File::create(path).ok()?;
    file.lock().ok()?;
    Some(file)
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

fn remove(path: &Path) -> Result<(), BlobError> {
    Disk.remove_file(path).map_err(disk(path))
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> BlobError {
    let path = path.to_owned();
    move |source| BlobError::Disk { path, source }
}

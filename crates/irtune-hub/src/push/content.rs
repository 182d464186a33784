//! A file that is put on the hub.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::PathBuf,
};

use crate::{Body, checksum, push::PushError};

/// A file, and its name in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushFile {
    /// Its path in the repository, with `/` between folders.
    pub name: String,
    /// What it holds.
    pub content: PushContent,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushContent {
    /// These bytes.
    Bytes(Vec<u8>),
    /// What a file on this machine holds.
    File(PathBuf),
}

impl PushFile {
    /// Its bytes.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn length(&self) -> Result<u64, PushError> {
        match &self.content {
            PushContent::Bytes(bytes) => Ok(bytes.len() as u64),
            PushContent::File(path) => Ok(fs::metadata(path).map_err(PushError::disk(path))?.len()),
        }
    }

    /// At most so many bytes of its beginning.
    pub(super) fn beginning(&self, bytes: u64) -> Result<Vec<u8>, PushError> {
        self.read(&mut |from| {
            let mut beginning = Vec::new();
            from.take(bytes).read_to_end(&mut beginning).map(|_| beginning)
        })
    }

    pub(super) fn sha256(&self) -> Result<String, PushError> {
        self.read(&mut |from| checksum::sha256(from))
    }

    pub(super) fn git_blob(&self) -> Result<String, PushError> {
        let length = self.length()?;
        self.read(&mut |from| checksum::git_blob(length, from))
    }

    /// A stretch of it to be sent.
    pub(super) fn stretch(&self, from: u64, length: u64) -> Body<'_> {
        match &self.content {
            PushContent::Bytes(bytes) => {
                // A length that fits in memory fits in a `usize`.
                let (from, length) = (from as usize, length as usize);
                Body::Bytes(&bytes[from..from + length])
            }
            PushContent::File(path) => Body::Stretch { path, from, length },
        }
    }

    fn read<T>(&self, reader: &mut dyn FnMut(&mut dyn io::Read) -> io::Result<T>) -> Result<T, PushError> {
        match &self.content {
            PushContent::Bytes(bytes) => {
                reader(&mut bytes.as_slice()).map_err(PushError::disk(self.name.as_ref()))
            }
            PushContent::File(path) => {
                File::open(path).and_then(|mut file| reader(&mut file)).map_err(PushError::disk(path))
            }
        }
    }
}

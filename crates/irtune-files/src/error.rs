//! What can't be written, and the way out.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A file or folder can't be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}{}", path.display(), hint(source))]
pub struct WriteError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the operating system says.
    pub source: io::Error,
}

impl WriteError {
    /// The error of a path.
    pub fn at(path: &Path) -> impl Fn(io::Error) -> WriteError {
        move |source| WriteError { path: path.to_owned(), source }
    }
}

/// A one-line hint for an I/O error, to stand behind it in a message; empty when there is none.
pub fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ": the disk is full; free some space or choose another disk for the run folder"
        }
        io::ErrorKind::PermissionDenied => ": choose a folder you may write to",
        io::ErrorKind::ReadOnlyFilesystem => ": choose a folder on a disk that can be written",
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
            ": something else has come to be there meanwhile; choose another name"
        }
        io::ErrorKind::ResourceBusy => {
            ": another process is writing there; wait for its end, or choose another name"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_explained() {
        assert!(hint(&io::Error::from(io::ErrorKind::StorageFull)).contains("the disk is full"));
        assert_eq!(hint(&io::Error::from(io::ErrorKind::NotFound)), "");
        let error = WriteError::at(Path::new("a/b"))(io::Error::from(io::ErrorKind::PermissionDenied));
        let message = error.to_string();
        assert!(message.starts_with("cannot write a/b: "), "{message}");
        assert!(message.ends_with("choose a folder you may write to"), "{message}");
    }
}

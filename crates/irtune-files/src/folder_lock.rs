//! One process at a time uses a folder.

use std::fs::{File, TryLockError};
use std::path::Path;

/// A folder that this process alone uses, for as long as this lives. The lock is on the folder itself and leaves no file;
/// where folders can't be locked (not on Unix, or on some network disks) nothing is kept.
#[derive(Debug)]
pub struct FolderLock {
    _folder: Option<File>,
}

/// Another process uses a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another process uses the folder")]
pub struct FolderInUse;

impl FolderLock {
    /// Takes a folder.
    ///
    /// # Errors
    /// When another process has it.
    pub fn take(path: &Path) -> Result<FolderLock, FolderInUse> {
        let Ok(folder) = File::open(path) else { return Ok(FolderLock { _folder: None }) };
        match folder.try_lock() {
            Ok(()) => Ok(FolderLock { _folder: Some(folder) }),
            Err(TryLockError::WouldBlock) => Err(FolderInUse),
            Err(TryLockError::Error(_)) => Ok(FolderLock { _folder: None }),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(folder.path()).unwrap();
        assert_eq!(FolderLock::take(folder.path()).unwrap_err(), FolderInUse);
        drop(lock);
        FolderLock::take(folder.path()).unwrap();
        FolderLock::take(&folder.path().join("none")).unwrap();
    }
}

//! One process at a time trains in a run folder.

use super::RunFolder;
use super::error::RunFolderError;
use std::fs::{File, TryLockError};

/// A run folder that this process alone trains in.
#[derive(Debug)]
pub struct RunLock {
    _folder: File,
}

impl RunFolder {
    /// Keeps other processes from training in the folder for as long as the lock lives. It is on the folder itself and
    /// leaves no file; where folders can't be locked (not on Unix, or on some network disks) nothing is kept.
    ///
    /// # Errors
    /// [`RunFolderError::InUse`] when another process has it.
    pub fn lock(&self) -> Result<Option<RunLock>, RunFolderError> {
        let Ok(folder) = File::open(&self.path) else { return Ok(None) };
        match folder.try_lock() {
            Ok(()) => Ok(Some(RunLock { _folder: folder })),
            Err(TryLockError::WouldBlock) => Err(RunFolderError::InUse { path: self.path.clone() }),
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }
}

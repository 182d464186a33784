//! One process at a time trains in a run folder.

use super::RunFolder;
use super::error::RunFolderError;
use irtune_files::FolderLock;

impl RunFolder {
    /// Keeps other processes from training in the folder for as long as the lock lives.
    ///
    /// # Errors
    /// [`RunFolderError::InUse`] when another process has it.
    pub fn lock(&self) -> Result<FolderLock, RunFolderError> {
        FolderLock::take(&self.path).map_err(|_| RunFolderError::InUse { path: self.path.clone() })
    }
}

//! Files of settings that come through pipes, for runs that read them again and again.

use crate::error::TrainError;
use crate::folder::error::RunFolderError;
use crate::settings::TrainSettings;
use irtune_data::is_pipe;
use irtune_files::{Files, WriteError};
use std::path::{Path, PathBuf};

/// What stands before the path of a prompt that becomes a chat.
const CHAT: &str = "chat:";

/// The content of the pipes that settings name, each with the file below a folder that keeps it.
#[derive(Debug, Default)]
pub(super) struct Piped {
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Piped {
    /// Reads the pipes, and lets the settings name their files below `folder`.
    ///
    /// # Errors
    /// When one can't be read.
    pub(super) fn of(settings: &mut TrainSettings, folder: &Path) -> Result<Piped, TrainError> {
        let mut piped = Piped::default();
        let (chat, prompt) = match settings.prompt.strip_prefix(CHAT) {
            Some(prompt) => (CHAT, prompt),
            None => ("", settings.prompt.as_str()),
        };
        if let Some(kept) = piped.take(prompt, "prompt")? {
            settings.prompt = format!("{chat}{}", folder.join(kept).display());
        }
        if let Some(words) = &settings.label_words
            && let Some(kept) = piped.take(words, "label_words")?
        {
            settings.label_words = Some(folder.join(kept).display().to_string());
        }
        Ok(piped)
    }

    /// Reads a path that leads to a pipe; gives the file that is to keep it.
    fn take(&mut self, path: &str, name: &str) -> Result<Option<PathBuf>, TrainError> {
        let path = Path::new(path);
        if !is_pipe(path) {
            return Ok(None);
        }
        let bytes =
            std::fs::read(path).map_err(|source| TrainError::Log { path: path.to_owned(), source })?;
        let kept = Path::new("data").join(name);
        self.files.push((kept.clone(), bytes));
        Ok(Some(kept))
    }

    /// Writes the files below a folder that has no final name yet.
    ///
    /// # Errors
    /// When that fails.
    pub(super) fn write(&self, files: &dyn Files, folder: &Path) -> Result<(), RunFolderError> {
        for (kept, bytes) in &self.files {
            let path = folder.join(kept);
            let write = || {
                path.parent().map_or(Ok(()), |folder| files.create_directory(folder))?;
                files.write(&path, &mut |writer| writer.write_all(bytes))
            };
            write().map_err(WriteError::at(&path))?;
        }
        Ok(())
    }
}

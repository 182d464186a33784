//! A run folder, made whole or not at all.

use super::error::RunFolderError;
use super::platform::Platform;
use super::sources::{Sources, keep};
use super::{ENDING, ENVIRONMENT, LABELS, PROMPT, RunFolder, SETTINGS, SOURCES, SUMMARY, WORDS};
use crate::data_split::DataSplit;
use crate::settings::TrainSettings;
use crate::task::Task;
use irtune_data::CorpusSource;
use irtune_files::{Files, WriteError};
use serde::Serialize;
use std::io;
use std::path::Path;

/// What a run folder holds from its first moment.
#[derive(Debug, Clone, PartialEq)]
pub struct RunContents {
    /// The resolved settings.
    pub settings: TrainSettings,
    /// Where base and data lie.
    pub sources: Sources,
    /// Rows and content that `sources` names and that only the folder keeps.
    pub kept: Vec<(DataSplit, CorpusSource)>,
    /// What it runs on.
    pub platform: Platform,
    /// What the model is to tell.
    pub task: Task,
}

impl RunFolder {
    /// Confirms that a run may be begun at a path: nothing is there, or an empty folder.
    ///
    /// # Errors
    /// [`RunFolderError::Exists`] when something is.
    pub fn check_free(path: &Path) -> Result<(), RunFolderError> {
        let exists = |resumable| RunFolderError::Exists { path: path.to_owned(), resumable };
        recover(path)?;
        match irtune_files::is_free(path) {
            Ok(true) => Ok(()),
            Ok(false) => Err(exists(path.join(SETTINGS).is_file() && !path.join(SUMMARY).is_file())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(exists(false)),
            Err(source) => Err(RunFolderError::read(path, source)),
        }
    }

    /// Makes a run folder with its first files, all of them or none.
    ///
    /// # Errors
    /// [`RunFolderError::Exists`] when something is there, [`RunFolderError::Write`] when writing fails.
    pub fn create(
        files: &dyn Files,
        path: &Path,
        contents: &RunContents,
    ) -> Result<RunFolder, RunFolderError> {
        create_whole(files, path, |writing| {
            RunFolder { path: writing.to_owned() }.write_settings(files, &contents.settings)?;
            write_json(files, &writing.join(SOURCES), &contents.sources)?;
            write_json(files, &writing.join(ENVIRONMENT), &contents.platform)?;
            write_json(files, &writing.join(LABELS), &contents.task.labels)?;
            if let Some(verbalizer) = &contents.task.verbalizer {
                write_json(files, &writing.join(WORDS), verbalizer)?;
            }
            write_json(files, &writing.join(PROMPT), &contents.task.template)?;
            if !contents.task.ending.is_plain() {
                write_json(files, &writing.join(ENDING), &contents.task.ending)?;
            }
            keep(files, writing, &contents.kept)
        })?;
        Ok(RunFolder { path: path.to_owned() })
    }

    /// Writes the settings into a folder that has no final name yet.
    pub(super) fn write_settings(
        &self,
        files: &dyn Files,
        settings: &TrainSettings,
    ) -> Result<(), RunFolderError> {
        let path = self.path.join(SETTINGS);
        let text = toml::to_string(settings).map_err(io::Error::other);
        text.and_then(|text| files.write(&path, &mut |writer| writer.write_all(text.as_bytes())))
            .map_err(WriteError::at(&path))?;
        Ok(())
    }
}

/// Takes up the making of a folder that was broken off in its last moves.
///
/// # Errors
/// When there is something to take up, and it can't be written.
pub(crate) fn recover(path: &Path) -> Result<(), RunFolderError> {
    Ok(irtune_files::recover_folder(path).map_err(WriteError::at(path))?)
}

/// Makes a folder where there is none, or an empty one, and lets `fill` write into it; all of it or nothing.
pub(crate) fn create_whole<T, E: From<RunFolderError> + From<WriteError>>(
    files: &dyn Files,
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    RunFolder::check_free(path)?;
    irtune_files::create_folder(files, path, fill)
}

/// Writes a value as a JSON document into a folder that has no final name yet.
pub(crate) fn write_json(
    files: &dyn Files,
    path: &Path,
    value: &impl Serialize,
) -> Result<(), RunFolderError> {
    let write = || files.write(path, &mut |writer| writer.write_all(&irtune_files::json(value)?));
    Ok(write().map_err(WriteError::at(path))?)
}

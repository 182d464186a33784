//! A run folder, made whole or not at all.

use super::error::RunFolderError;
use super::platform::Platform;
use super::sources::{Sources, keep_rows};
use super::{ENVIRONMENT, LABELS, PROMPT, RunFolder, SETTINGS, SOURCES, SUMMARY, WORDS};
use crate::data_split::DataSplit;
use crate::files::{self, Files};
use crate::settings::TrainSettings;
use crate::task::Task;
use irtune_data::Row;
use serde::Serialize;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What a run folder holds from its first moment.
#[derive(Debug, Clone, PartialEq)]
pub struct RunContents {
    /// The resolved settings.
    pub settings: TrainSettings,
    /// Where base and data lie.
    pub sources: Sources,
    /// Rows that were given in memory, for which [`crate::StoredSource::Rows`] stands in `sources`.
    pub rows: Vec<(DataSplit, Arc<[Row]>)>,
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
        match std::fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                None => Ok(()),
                Some(_) => Err(exists(path.join(SETTINGS).is_file() && !path.join(SUMMARY).is_file())),
            },
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
            let settings = toml::to_string(&contents.settings).map_err(io::Error::other);
            let write = |settings: String| {
                files.write(&writing.join(SETTINGS), &mut |writer| writer.write_all(settings.as_bytes()))
            };
            settings
                .and_then(write)
                .map_err(|source| RunFolderError::write(&writing.join(SETTINGS), source))?;
            write_json(files, &writing.join(SOURCES), &contents.sources)?;
            write_json(files, &writing.join(ENVIRONMENT), &contents.platform)?;
            write_json(files, &writing.join(LABELS), &contents.task.labels)?;
            if let Some(verbalizer) = &contents.task.verbalizer {
                write_json(files, &writing.join(WORDS), verbalizer)?;
            }
            write_json(files, &writing.join(PROMPT), &contents.task.template)?;
            keep_rows(files, writing, &contents.rows)
        })?;
        Ok(RunFolder { path: path.to_owned() })
    }
}

/// Makes a folder beside its place, lets `fill` write into it, and renames it; when that fails nothing is left.
pub(crate) fn create_whole(
    files: &dyn Files,
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<(), RunFolderError>,
) -> Result<(), RunFolderError> {
    RunFolder::check_free(path)?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let writing = path.with_file_name(format!(".{name}.writing"));
    let made = (|| {
        files.remove_directory(&writing).map_err(|source| RunFolderError::write(&writing, source))?;
        files.create_directory(&writing).map_err(|source| RunFolderError::write(&writing, source))?;
        fill(&writing)?;
        files.rename(&writing, path).map_err(|source| RunFolderError::write(path, source))
    })();
    made.inspect_err(|_| {
        // The first error is the one to report.
        let _ = files.remove_directory(&writing);
    })
}

/// Writes a value as a JSON document into a folder that has no final name yet.
pub(crate) fn write_json(
    files: &dyn Files,
    path: &Path,
    value: &impl Serialize,
) -> Result<(), RunFolderError> {
    let write = || files.write(path, &mut |writer| writer.write_all(&files::json(value)?));
    write().map_err(|source| RunFolderError::write(path, source))
}

//! The linear model in a run folder: that of a linear run, and the one beside a trained model.

use super::error::RunFolderError;
use super::{RunFolder, read_json};
use crate::settings::Draw;
use irtune_data::LabelSet;
use irtune_files::{Files, WriteError};
use irtune_linear::{LinearError, LinearModel, Stack};
use std::io;
use std::path::Path;

/// The model.
pub(super) const MODEL: &str = "linear.safetensors";
/// How it is combined with the run's own model.
pub(super) const STACK: &str = "stack.json";
/// The settings of a linear run; what tells it from others.
pub(super) const SETTINGS: &str = "linear.toml";

impl RunFolder {
    /// Whether the run is a linear model alone, with neither base nor steps.
    pub fn is_linear(&self) -> bool {
        self.path.join(SETTINGS).is_file()
    }

    /// The settings of a linear run.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn linear_settings(&self) -> Result<Draw, RunFolderError> {
        let path = self.path.join(SETTINGS);
        let text = irtune_files::read_text(&path).map_err(|source| RunFolderError::read(&path, source))?;
        toml::from_str(&text).map_err(|source| RunFolderError::Toml { path, source: Box::new(source) })
    }

    /// The linear model of the run's pairs; `None` when there is none.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn linear_model(&self) -> Result<Option<LinearModel>, RunFolderError> {
        read_linear_model(&self.path)
    }

    /// How the run's model and the linear one are combined; `None` when they are not.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn stack(&self) -> Result<Option<Stack>, RunFolderError> {
        read_stack(&self.path)
    }

    /// Keeps the linear model of the run's pairs.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_linear_model(&self, files: &dyn Files, model: &LinearModel) -> Result<(), RunFolderError> {
        let path = self.path.join(MODEL);
        let bytes = bytes(model, &path)?;
        Ok(irtune_files::replace_file(files, &path, &mut |writer| writer.write_all(&bytes))?)
    }

    /// Keeps how the run's model and the linear one are combined.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_stack(&self, files: &dyn Files, stack: &Stack) -> Result<(), RunFolderError> {
        Ok(irtune_files::replace_json(files, &self.path.join(STACK), stack)?)
    }
}

fn read_linear_model(folder: &Path) -> Result<Option<LinearModel>, RunFolderError> {
    let path = folder.join(MODEL);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RunFolderError::Read { path, source }),
    };
    let model = LinearModel::from_bytes(&bytes);
    model.map(Some).map_err(|source| RunFolderError::Linear { path, source: Box::new(source) })
}

fn read_stack(folder: &Path) -> Result<Option<Stack>, RunFolderError> {
    let path = folder.join(STACK);
    if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
}

/// The linear model in the folder of a run or of a merged model, and how both are combined; `None` when they are not.
///
/// # Errors
/// When a file is damaged or of other labels, or the linear model is missing.
pub(crate) fn read_combined(
    folder: &Path,
    labels: &LabelSet,
) -> Result<Option<(LinearModel, Stack)>, RunFolderError> {
    let Some(stack) = read_stack(folder)? else { return Ok(None) };
    let missing = || RunFolderError::NoLinearModel { path: folder.to_owned() };
    let model = read_linear_model(folder)?.ok_or_else(missing)?;
    if stack.offsets.len() != labels.len() {
        return Err(RunFolderError::OtherLabels { path: folder.join(STACK) });
    }
    if model.labels() != labels {
        return Err(RunFolderError::OtherLabels { path: folder.join(MODEL) });
    }
    Ok(Some((model, stack)))
}

/// Names and bytes of the same, for a folder that answers as this one does.
///
/// # Errors
/// As [`read_combined`].
pub(super) fn copied_combined(
    folder: &Path,
    labels: &LabelSet,
) -> Result<Vec<(&'static str, Vec<u8>)>, RunFolderError> {
    if read_combined(folder, labels)?.is_none() {
        return Ok(Vec::new());
    }
    let read = |name: &'static str| {
        let path = folder.join(name);
        std::fs::read(&path)
            .map(|bytes| (name, bytes))
            .map_err(|source| RunFolderError::Read { path, source })
    };
    [STACK, MODEL].into_iter().map(read).collect()
}

/// Writes what makes a folder that of a linear run: its settings and its model.
pub(crate) fn write_linear_run(
    files: &dyn Files,
    folder: &Path,
    draw: &Draw,
    model: &LinearModel,
) -> Result<(), RunFolderError> {
    let path = folder.join(MODEL);
    let bytes = bytes(model, &path)?;
    files.write(&path, &mut |writer| writer.write_all(&bytes)).map_err(WriteError::at(&path))?;
    let path = folder.join(SETTINGS);
    let settings = toml::to_string(draw).map_err(io::Error::other);
    settings
        .and_then(|text| files.write(&path, &mut |writer| writer.write_all(text.as_bytes())))
        .map_err(WriteError::at(&path))?;
    Ok(())
}

fn bytes(model: &LinearModel, path: &Path) -> Result<Vec<u8>, RunFolderError> {
    let error =
        |source: LinearError| RunFolderError::Linear { path: path.to_owned(), source: Box::new(source) };
    model.to_bytes().map_err(error)
}

//! Why a run folder can't be made or read.

use super::calibration::CalibrationProblem;
use irtune_files::WriteError;
use irtune_linear::LinearError;
use std::io;
use std::path::{Path, PathBuf};

/// How something is in the way of a folder that is to be made.
pub(super) fn occupied(path: &Path) -> &'static str {
    if path.is_dir() { "is not empty" } else { "is there and is no folder" }
}

/// Why a run folder can't be made or read.
#[derive(Debug, thiserror::Error)]
pub enum RunFolderError {
    /// Something is there already.
    #[error(
        "{} {}; choose another folder with --out{}",
        path.display(),
        occupied(path),
        if *resumable { ", or continue the run in it with --resume" } else { "" }
    )]
    Exists {
        /// The folder, or file.
        path: PathBuf,
        /// Whether it is a run that can be continued.
        resumable: bool,
    },
    /// It is no run folder.
    #[error("{} is not a run folder: it has no settings.toml; give the folder that `irtune train --out` wrote", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// Two processes would write over each other's files.
    #[error("another process is training in {}; wait for its end, or stop it", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A JSON file is damaged.
    #[error("{}{}: {source}; the file is damaged", path.display(), line.map_or_else(String::new, |line| format!(" line {line}")))]
    Json {
        /// The file.
        path: PathBuf,
        /// Its line, in a file of one document a line.
        line: Option<usize>,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// Rows that were given in memory are not what was kept of them.
    #[error("{}: these are not the rows that the run was begun with; restore the file, or train into another folder", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
    },
    /// A file of pairs holds something else than it did.
    #[error("{}: the file has changed since the run was begun; put it back as it was, or train into another folder", path.display())]
    FileChanged {
        /// The file.
        path: PathBuf,
    },
    /// A linear model is damaged, or of another version.
    #[error("{}: {source}", path.display())]
    Linear {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<LinearError>,
    },
    /// The answers are to be combined with those of a model that is gone.
    #[error(
        "{} has a stack.json, but no linear.safetensors to combine its answers with; restore that file, or \
         remove stack.json to use its own model alone", path.display()
    )]
    NoLinearModel {
        /// The folder of a run or of a merged model.
        path: PathBuf,
    },
    /// What the answers are combined with tells other labels.
    #[error(
        "{}: it is of other labels than the model; restore the file, or remove stack.json beside it to use the model alone",
        path.display()
    )]
    OtherLabels {
        /// The file.
        path: PathBuf,
    },
    /// The run is a linear model alone.
    #[error(
        "the run in {} is a linear model, which has neither base nor steps; irtune predict, eval, inspect and compare \
         read it", path.display()
    )]
    LinearRun {
        /// The folder.
        path: PathBuf,
    },
    /// The calibration is not one of the model's.
    #[error(
        "{}: {problem}; the file is damaged: restore it, or delete it to use the model's plain outputs",
        path.display()
    )]
    Calibration {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: CalibrationProblem,
    },
    /// A file of the model is gone.
    #[error("{} is missing, and the model is not whole without it; put the file back", path.display())]
    Incomplete {
        /// The file.
        path: PathBuf,
    },
    /// A classifier's configuration doesn't say what its head reads.
    #[error("{}: it lacks `edit_head`, which says what the model's head reads; put the file back", path.display())]
    NoEditHead {
        /// The file.
        path: PathBuf,
    },
    /// The settings are damaged.
    #[error("{}: {source}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: Box<toml::de::Error>,
    },
    /// The model's labels have other names than the run's.
    #[error(
        "{}: the model's rows are the labels {}, but the run lists {}: answers would get wrong names; put the right list into \
         both files, or the model's own adapter back",
        path.display(), model.join(", "), run.join(", ")
    )]
    LabelNames {
        /// The run folder.
        path: PathBuf,
        /// Labels that the model names, in the order of its rows.
        model: Vec<String>,
        /// Labels of the run.
        run: Vec<String>,
    },
}

impl RunFolderError {
    pub(super) fn read(path: &Path, source: io::Error) -> RunFolderError {
        RunFolderError::Read { path: path.to_owned(), source }
    }
}

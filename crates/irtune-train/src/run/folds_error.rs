//! Why a cross-validation can't be begun or continued.

use crate::folder::error::RunFolderError;
use irtune_files::{WriteError, shell_path};
use std::io;
use std::path::PathBuf;

/// Why the folder of a cross-validation can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FoldsError {
    /// Too few parts, or none of that number.
    #[error("a cross-validation has 2 parts or more, not {folds}")]
    Count {
        /// What was asked for.
        folds: usize,
    },
    /// A test file, or a part, is given beside it.
    #[error(
        "in a cross-validation every run has its own part of the training file as test set; leave {given} out"
    )]
    TestGiven {
        /// What is given: `test` or `fold`.
        given: &'static str,
    },
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The plan is damaged.
    #[error("{}: {source}; the file is damaged, so begin anew in another folder", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A file is not what it was when it was begun.
    #[error(transparent)]
    Changes(Box<RunFolderError>),
    /// The folder holds a cross-validation of something else.
    #[error(
        "{} holds a cross-validation that was begun with another {what}; continue it with --resume, or choose another \
         folder with --out", path.display()
    )]
    Changed {
        /// The folder.
        path: PathBuf,
        /// What is not the same.
        what: String,
    },
    /// A run is missing.
    #[error(
        "the cross-validation in {} has no finished run for part {part}; finish it with irtune train --resume {}",
        path.display(),
        shell_path(path)
    )]
    Unfinished {
        /// The folder.
        path: PathBuf,
        /// The first part without a finished run.
        part: usize,
    },
    /// The training pairs are no longer those that were divided.
    #[error(
        "{name} doesn't hold the pairs that {} was tested on; put back the file as it was, or cross-validate again",
        path.display()
    )]
    OtherPairs {
        /// The file, or what the rows are called.
        name: String,
        /// The run folder.
        path: PathBuf,
    },
    /// Its pairs can have several labels.
    #[error(
        "in the cross-validation in {} pairs can have several labels (multi_label), and suspects are found by the one label of \
         a pair; compare labels and predicted in the test_predictions.jsonl of its runs instead", path.display()
    )]
    SeveralLabels {
        /// The folder.
        path: PathBuf,
    },
    /// A finished run of it lacks predictions.
    #[error("{} lacks predictions of its test pairs; remove the folder and continue with --resume", path.display())]
    NoPredictions {
        /// The run folder.
        path: PathBuf,
    },
}

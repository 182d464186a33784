//! Why runs can't be compared.

use std::{io, path::PathBuf};

use irtune_data::DataError;
use irtune_files::WriteError;
use irtune_metrics::MetricsError;
use irtune_model::ModelError;
use irtune_train::{CombineError, PredictorError, RunFolderError, TestPredictionsError, TrainError};

use crate::settings::{Problem, Problems};

/// Why a cell has no run.
#[derive(Debug, thiserror::Error)]
pub enum CellError {
    /// It was not trained.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Another cell's run was not combined with a linear model.
    #[error(transparent)]
    Combine(#[from] CombineError),
}

/// Why runs can't be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The definition, its settings, or a run that is there already, is not as it must be.
    #[error(transparent)]
    Settings(#[from] Problems),
    /// It was interrupted, and what was done is saved.
    #[error("the comparison was interrupted")]
    Interrupted {
        /// The run that was interrupted, and its step; none between two runs.
        run: Option<(String, u64)>,
    },
    /// The folder is a run's.
    #[error("{} is a run, and a comparison needs a folder of its own; give another --out", path.display())]
    RunFolder {
        /// The run folder.
        path: PathBuf,
    },
    /// Another process runs it.
    #[error("another process compares in {}; wait for its end, or give another --out", path.display())]
    InUse {
        /// The comparison's folder.
        path: PathBuf,
    },
    /// There is nothing to report on.
    #[error("no run in {} is finished, so there is nothing to report", path.display())]
    NothingFinished {
        /// The comparison's folder.
        path: PathBuf,
    },
    /// A run was not tested.
    #[error(
        "{}: the run has no test pairs, and so nothing to compare; remove it to have it made again", path.display()
    )]
    NoTestPairs {
        /// The run folder.
        path: PathBuf,
    },
    /// A run's pairs can have several labels.
    #[error(
        "{}: the pairs of the run can have several labels (multi_label), which a comparison does not measure; use irtune eval",
        path.display()
    )]
    SeveralLabels {
        /// The run folder.
        path: PathBuf,
    },
    /// Predictions that were made afterwards are not those that the run was measured by.
    #[error(
        "{}: its model now has an accuracy of {accuracy:.3} on {examples} test pairs, but had {recorded_accuracy:.3} on \
         {recorded_examples} when the run ended: test file or adapter have changed; remove the folder to have the run \
         made again", path.display()
    )]
    OtherFigures {
        /// The run folder.
        path: PathBuf,
        /// The accuracy now.
        accuracy: f64,
        /// Test pairs now.
        examples: usize,
        /// The accuracy that the run recorded.
        recorded_accuracy: f64,
        /// Test pairs that the run recorded.
        recorded_examples: usize,
    },
    /// Two runs of one corpus tell other labels.
    #[error("the runs {one} and {other} of one corpus have other labels, so they cannot be compared")]
    OtherLabels {
        /// One run.
        one: String,
        /// The other.
        other: String,
    },
    /// Two runs of one corpus and seed were tested on other pairs.
    #[error("runs of one corpus and seed have other test pairs, so they cannot be compared")]
    OtherTestPairs,
    /// The comparison's folder can't be made.
    #[error("{} cannot be made", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A path has no absolute form.
    #[error("{path}: {source}")]
    Path {
        /// The path.
        path: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// A run folder can't be read.
    #[error(transparent)]
    Run(#[from] RunFolderError),
    /// Stored predictions can't be read.
    #[error(transparent)]
    TestPredictions(#[from] TestPredictionsError),
    /// A run's model can't be used.
    #[error(transparent)]
    Predictor(#[from] PredictorError),
    /// The base can't be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Test pairs can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Predictions can't be measured.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// A report can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The definition can't be written as TOML.
    #[error(transparent)]
    Toml(#[from] toml::ser::Error),
    /// The results can't be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The table can't be written as CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

impl CompareError {
    /// Of problems, when there are any.
    pub(super) fn of(problems: Vec<Problem>) -> Result<(), CompareError> {
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems).into()) }
    }
}

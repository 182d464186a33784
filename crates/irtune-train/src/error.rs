//! Everything that can go wrong in a run.

use crate::data_split::DataSplit;
use crate::folder::checkpoint::CheckpointError;
use crate::folder::error::RunFolderError;
use crate::folder::tensor_file::SealError;
use crate::plan::Remedy;
use crate::run::folds_error::FoldsError;
use crate::settings::{ClassWeightsError, Fold, InvalidSetting, TargetModulesError};
use crate::step::StepError;
use irtune_data::{CorpusSource, DataError};
use irtune_files::WriteError;
use irtune_linear::LinearError;
use irtune_metrics::MetricsError;
use irtune_model::{ModelError, OtherBase};
use irtune_select::SelectError;
use std::io;
use std::path::PathBuf;

/// Everything that can go wrong in a run.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Settings that can't be used, all of them.
    #[error("{}", list(problems))]
    Settings {
        /// What is wrong.
        problems: Vec<InvalidSetting>,
    },
    /// The run folder can't be made or read.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// The data can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model can't be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The method can't be made or continued.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// Modules that the base doesn't have.
    #[error(transparent)]
    TargetModules(#[from] TargetModulesError),
    /// Class weights that don't fit the data.
    #[error(transparent)]
    ClassWeights(#[from] ClassWeightsError),
    /// A cross-validation that can't be begun or continued.
    #[error(transparent)]
    Folds(#[from] FoldsError),
    /// Both a fold of the training pairs and other pairs are to be the test set.
    #[error(
        "fold: part {fold} of the training file is the test set, but {test} is given too; leave one of the two out"
    )]
    FoldAndTest {
        /// The fold.
        fold: Fold,
        /// The other pairs.
        test: CorpusSource,
    },
    /// Nothing lies below the lowest layer that can train.
    #[error(
        "cache_states: `{method}` as set may train the lowest layer, so there is nothing to keep: choose layers that leave the \
         lower ones out, such as --method fixed --layers top:8, or leave --cache-states out"
    )]
    NothingToCache {
        /// The method.
        method: &'static str,
    },
    /// The machine has too little memory for the run.
    #[error(
        "the run would hold {:.1} GB of memory at its most, and {:.1} GB are free; {}",
        *needed as f64 / 1e9, *available as f64 / 1e9, would_fit(remedies)
    )]
    DoesNotFit {
        /// The most that it would hold, in bytes.
        needed: u64,
        /// What there is, in bytes.
        available: u64,
        /// Settings that would fit.
        remedies: Vec<Remedy>,
    },
    /// The linear model can't be trained.
    #[error(transparent)]
    Linear(#[from] LinearError),
    /// An evaluation can't be measured.
    #[error("{source}{}", way_out(source))]
    Metrics {
        /// Why not.
        #[from]
        source: MetricsError,
    },
    /// A checkpoint can't be written or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The stored best model is not what was written.
    #[error("{source}; the best model so far is lost, so train into a new folder")]
    Best {
        /// What is wrong.
        source: Box<SealError>,
    },
    /// A step failed.
    #[error("step {step}: {source}; {}", after_failure(source, checkpoint.as_ref()))]
    Step {
        /// The step, counted from 1.
        step: u64,
        /// The last checkpoint, when there is one.
        checkpoint: Option<PathBuf>,
        /// What failed.
        source: Box<StepError>,
    },
    /// A step failed because of the base.
    #[error(
        "step {step}: {source}, because {} holds values in `{tensor}` that are infinite or not numbers; download the base again, or \
         take another",
        path.display()
    )]
    BaseNotFinite {
        /// The step, counted from 1.
        step: u64,
        /// What failed.
        source: Box<StepError>,
        /// The base's file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A folder can't be made.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A log can't be written or shortened.
    #[error("{}: {source}{}", path.display(), irtune_files::hint(source))]
    Log {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The run to be resumed is over.
    #[error("the run in {} is finished; train into another folder to train anew", path.display())]
    Finished {
        /// The run folder.
        path: PathBuf,
    },
    /// The base is not the one the run was begun with.
    #[error(transparent)]
    OtherBase(#[from] OtherBase),
    /// The data is not what the run was begun with.
    #[error("the {split} pairs are not those the run was begun with; restore {}, or train into another folder", path.display())]
    DataChanged {
        /// Which.
        split: DataSplit,
        /// Where they were read from.
        path: PathBuf,
    },
}

/// What to do about outputs that are no numbers.
fn way_out(error: &MetricsError) -> &'static str {
    match error {
        MetricsError::NonFiniteProbability { .. } => {
            ": the training has diverged; train with a lower learning_rate, a larger warmup_share or precision f32"
        }
        _ => "",
    }
}

fn would_fit(remedies: &[Remedy]) -> String {
    let remedies: Vec<String> = remedies.iter().map(Remedy::to_string).collect();
    match remedies.as_slice() {
        [] => "no single setting makes it fit: take a smaller base, or one with fewer bits a weight; \
               --check-memory false begins anyway"
            .to_owned(),
        fitting => format!("these would fit: {}; --check-memory false begins anyway", fitting.join(", ")),
    }
}

fn list(problems: &[InvalidSetting]) -> String {
    problems.iter().map(InvalidSetting::to_string).collect::<Vec<_>>().join("\n")
}

fn after_failure(source: &StepError, checkpoint: Option<&PathBuf>) -> String {
    let kept = match checkpoint {
        Some(path) => format!("the last checkpoint is {}", path.display()),
        None => "there is no checkpoint yet".to_owned(),
    };
    match source {
        StepError::Loss { .. } | StepError::Gradient { .. } => {
            format!("{kept}; train with a lower learning_rate, a larger warmup_share or precision f32")
        }
        _ => kept,
    }
}

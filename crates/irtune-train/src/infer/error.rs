//! Why a trained model can't be used.

use crate::folder::error::RunFolderError;
use irtune_data::{DataError, Labels, Place};
use irtune_metrics::MetricsError;
use irtune_model::{ModelError, OtherBase};
use std::path::PathBuf;

/// Why a trained model can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PredictorError {
    /// The run folder can't be read.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// Base or adapter can't be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A pair can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The answers can't be measured.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The run has not got as far as a model.
    #[error("the run in {} has no model yet; continue it with --resume", path.display())]
    NoModel {
        /// The run folder.
        path: PathBuf,
    },
    /// The base is not the one the model was trained on.
    #[error(transparent)]
    OtherBase(#[from] OtherBase),
    /// The model gives no answer.
    #[error(
        "{place}: the model's output is not finite: its training diverged, so train anew with a lower learning_rate, or its base \
         holds values that are not numbers, so download it again"
    )]
    NotFinite {
        /// Where the pair comes from.
        place: Place,
    },
    /// A model that gives any number of labels can give none.
    #[error(
        "this model gives each pair any number of labels, or none, by a threshold for each label, so there is nothing to abstain \
         from; leave --abstain-below out"
    )]
    NothingToAbstainFrom,
    /// A pair was read as one that has one label, and the model gives any number, or the other way round.
    #[error(
        "{place}: the pair was read otherwise than this model needs it; read pairs with Labels::{labels:?}"
    )]
    ReadOtherwise {
        /// Where the pair comes from.
        place: Place,
        /// How the model needs it.
        labels: Labels,
    },
    /// A merged model is its own base.
    #[error("{} is a whole model, which needs no base; leave --base out", path.display())]
    WholeModel {
        /// The folder.
        path: PathBuf,
    },
    /// The head reads other counters than this version counts.
    #[error("{}: the head reads other counters of a change than this version counts; use the version that trained it", path.display())]
    Counters {
        /// The folder.
        path: PathBuf,
    },
    /// A length that nothing has room for.
    #[error(
        "{}: max_length is {max_length}, and no text can be so long; put back the settings.toml or irtune.json that irtune wrote",
        path.display()
    )]
    MaxLength {
        /// The folder.
        path: PathBuf,
        /// What stands there.
        max_length: usize,
    },
    /// The model's labels are not the run's.
    #[error("{}: the model has {model} labels, but {run} are listed; one of them is damaged", path.display())]
    Labels {
        /// The run folder.
        path: PathBuf,
        /// Labels of the model.
        model: usize,
        /// Labels of the run, or of the merged model's list.
        run: usize,
    },
}

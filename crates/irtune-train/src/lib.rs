//! The training run: settings, steps, evaluations, checkpoints, and the model that comes out.
//!
//! [`train`] and [`resume`] do it all; [`Predictor`] uses what they leave. A step itself is [`step::training_step`],
//! which does no I/O; what surrounds it is in [`run`]. This crate prints nothing and reads no environment: progress
//! is told to an [`Observer`].
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod data;
mod error;
pub mod evaluate;
mod folds;
mod head_only;
mod logs;
mod merge;
mod observer;
mod predictor;
mod probe;
pub mod prompting;
mod records;
pub mod run;
mod run_folder;
mod schedule;
mod settings;
pub mod state;
pub mod step;
pub mod tensor_file;
pub mod tensorboard;
mod test_predictions;
mod tokens;
mod train;

pub use error::TrainError;
pub use folds::{
    FoldRun, FoldsError, FoldsOutcome, FoldsSummary, Spread, cross_validate, is_cross_validation,
    resume_cross_validation,
};
pub use merge::{MergeOptions, MergeOutcome, MergeRunError, merge};
pub use observer::{Notice, Observer, Part, RunStart, Silent};
pub use predictor::{
    Measured, Prediction, PredictionStream, Predictor, PredictorError, PredictorOptions, Reading,
};
pub use records::{
    Environment, Evaluation, Sources, StepReport, Summary, TestPrediction, peak_bytes, reset_peak,
};
pub use run::TrainOutcome;
pub use run_folder::{RunContents, RunFolder, RunFolderError};
pub use schedule::{Schedule, UnknownSchedule};
pub use settings::{
    Adapter, Batches, BestMetric, ClassWeights, ClassWeightsError, Every, Fold, Group, Kind, MemoryLimit,
    MemoryLimitError, MethodOptions, Objective, Problem, Range, Setting, TrainSettings, Tune, UnknownAdapter,
    UnknownBatches, UnknownEvery, UnknownFold, UnknownMetric, UnknownObjective, UnknownTune,
};
pub use test_predictions::TestPredictionsError;
pub use tokens::BaseTokens;
pub use train::{TrainRequest, make_engine, make_policy, resume, train};

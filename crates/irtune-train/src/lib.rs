//! The training run: settings, steps, evaluations, checkpoints, and the model that comes out.
//!
//! [`train`] and [`resume`] do it all; [`Predictor`] uses what they leave. Pairs come from files or from rows that a
//! program holds ([`irtune_data::CorpusSource`]). A step itself is [`step::training_step`], which does no I/O; what
//! surrounds it is in [`run`]. This crate prints nothing and reads no environment: progress is told to an
//! [`Observer`].
//!
//! | folder | what it is |
//! |---|---|
//! | `settings/` | every setting of a run |
//! | `prepare.rs` | from settings to corpora, task, base, examples, engine and policy: the one sequence |
//! | `plan/` | what a run will take, before it is begun: memory and time |
//! | `step/` | one training step |
//! | `run/` | the steps of a run and what lies around them; a run for each fold |
//! | `closing/` | what becomes of a finished model's outputs: combined, fitted, measured on the test pairs |
//! | `folder/` | what a run leaves on disk |
//! | `infer/` | using a model |
//! | `linear/` | the linear model that a run has to beat, beside it or as a run of its own |
#![forbid(unsafe_code)]

mod base_tokens;
mod batch;
mod closing;
mod data_split;
pub mod devices;
mod error;
mod folder;
mod infer;
mod linear;
mod plan;
mod prepare;
pub mod run;
mod settings;
mod start_head;
pub mod step;
mod task;

pub use base_tokens::BaseTokens;
pub use batch::Input;
pub use data_split::DataSplit;
pub use error::TrainError;
pub use folder::calibration::{CalibrationProblem, StoredCalibration};
pub use folder::create::RunContents;
pub use folder::error::RunFolderError;
pub use folder::evaluation::Evaluation;
pub use folder::merge::{MergeOptions, MergeOutcome, MergeRunError, merge};
pub use folder::peak_memory::{peak_bytes, reset_peak};
pub use folder::platform::Platform;
pub use folder::published::{PublishError, Published, PublishedFile, published};
pub use folder::sources::{PairSources, Sources, StoredRows, StoredSource};
pub use folder::step_report::StepReport;
pub use folder::stored_file::StoredFile;
pub use folder::summary::{
    CalibrationEffect, CalibrationSummary, Collapsed, LinearSummary, StackSummary, Summary,
};
pub use folder::test_predictions::{MultiLabelTestPrediction, TestPrediction, TestPredictionsError};
pub use folder::{RunFolder, checkpoint, state, tensor_file, tensorboard};
pub use infer::beyond_positions::BeyondPositions;
pub use infer::decision::{Decided, Decision};
pub use infer::error::PredictorError;
pub use infer::kinds::KindFigures;
pub use infer::measured::{Answered, KeyFigures, Measured};
pub use infer::prediction::{Answer, Prediction, Probabilities, Told};
pub use infer::predictor::{Outputs, Predictor, PredictorOptions, Reading};
pub use infer::stream::PredictionStream;
pub use infer::worker::{Caller, Pending, Worker, WorkerError, WorkerOptions};
pub use infer::{evaluate, prompting};
pub use linear::baseline::{BaselineRequest, LINEAR, train_baseline};
pub use linear::combined_run::{CombineError, combine};
pub use linear::reference::LinearAnswers;
pub use linear::score::Score;
pub use plan::{MEASURED_SECONDS, MemoryPlan, Plan, Remedy, TimePlan, plan, usual_bytes};
pub use prepare::{make_engine, make_policy};
pub use run::cross_validation::{FoldsOutcome, cross_validate, is_cross_validation, resume_cross_validation};
pub use run::folds_error::FoldsError;
pub use run::folds_summary::{FoldRun, FoldsSummary, Spread};
pub use run::held_out::HeldOut;
pub use run::notice::Notice;
pub use run::observer::{Observer, RunStart, Silent};
pub use run::request::TrainRequest;
pub use run::train::{resume, resume_on, train};
pub use run::trained_on::TrainedOn;
pub use run::{TrainOutcome, data};
pub use settings::{
    Adapter, Batches, BestMetric, ClassWeights, ClassWeightsError, Draw, Every, Fold, Group, HeadKind,
    InvalidSetting, Kind, MemoryLimit, MemoryLimitError, MethodOptions, Objective, Offsets, Range, Recipe,
    Setting, TargetModules, TargetModulesError, TrainSettings, Tune, UnknownAdapter, UnknownBatches,
    UnknownEvery, UnknownFold, UnknownHead, UnknownMetric, UnknownObjective, UnknownOffsets, UnknownRecipe,
    UnknownTune, Unread, UnreadBecause, ValidatedOn,
};
pub use step::schedule::{Schedule, UnknownSchedule};
pub use task::Task;

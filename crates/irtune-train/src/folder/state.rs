//! Where a run stands, as its checkpoints hold it.

use super::tensor_file::FileSeal;
use crate::data_split::DataSplit;
use irtune_select::PolicyState;
use serde::{Deserialize, Serialize};

/// Where a run stands after some steps, besides its parameters and the optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// Steps completed; the epoch and the position in it follow from it.
    pub step: u64,
    /// The layer policy's memory.
    pub policy: PolicyState,
    /// In how many steps each layer trained.
    pub layer_steps: Vec<u64>,
    /// The best model so far.
    pub best: Option<Best>,
    /// The step after which the last evaluation was made.
    pub evaluated_step: Option<u64>,
    /// Evaluations in a row that brought no better model.
    pub evaluations_without_improvement: u64,
    /// What has been done, and how long it took.
    pub totals: Totals,
    /// How much of each log belongs to these steps.
    pub logs: LogLengths,
    /// What the examples were; a run continues only on the same ones.
    pub data: DataPrints,
}

/// The best model of a run so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// After which step.
    pub step: u64,
    /// The figure it was chosen by.
    pub value: f64,
    /// Its parameters, in the folder of the checkpoints.
    pub file: FileSeal,
}

/// Sums over the steps of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Examples trained on.
    pub examples: u64,
    /// Tokens run through the model in training steps, a shared prefix counted once a batch.
    pub tokens: u64,
    /// Time spent in training steps.
    pub step_seconds: f64,
    /// Time spent in evaluations.
    pub evaluation_seconds: f64,
}

/// Lengths of a run's logs in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogLengths {
    /// Of `metrics.jsonl`.
    pub metrics: u64,
    /// Of `evaluations.jsonl`.
    pub evaluations: u64,
    /// Of the TensorBoard event file.
    pub events: u64,
}

/// SHA-256 of the encoded examples of each split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataPrints {
    /// Of the training examples.
    pub train: String,
    /// Of the validation examples.
    pub validation: String,
    /// Of the test examples.
    pub test: String,
}

impl DataPrints {
    /// The first split whose examples are others now, if any.
    pub(crate) fn changed(&self, now: &DataPrints) -> Option<DataSplit> {
        [
            (DataSplit::Train, self.train != now.train),
            (DataSplit::Validation, self.validation != now.validation),
            (DataSplit::Test, self.test != now.test),
        ]
        .into_iter()
        .find_map(|(split, changed)| changed.then_some(split))
    }
}

//! What a run writes down about itself.

use crate::observer::Part;
use crate::settings::BestMetric;
use irtune_data::Columns;
use irtune_metrics::Metrics;
use irtune_model::BaseSource;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One training step: a line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepReport {
    /// Steps completed, this one included.
    pub step: u64,
    /// Passes over the training examples completed, the present one as a fraction.
    pub epoch: f64,
    /// Mean cross-entropy of the step's examples, weighted and smoothed as the settings say, before the update.
    pub loss: f64,
    /// Learning rate of the update.
    pub learning_rate: f64,
    /// L2 norm of everything that trained, before clipping.
    pub gradient_norm: f64,
    /// The layers that trained, ascending.
    pub active_layers: Vec<usize>,
    /// The policy's scores after the step; `null` for a layer without one, empty for a policy without scores.
    pub scores: Vec<Option<f64>>,
    /// Examples of the step.
    pub examples: usize,
    /// Tokens that went through the model, a shared prefix counted once a micro-batch.
    pub tokens: usize,
    /// Time it took.
    pub seconds: f64,
    /// `tokens / seconds`.
    pub tokens_per_second: f64,
    /// `examples / seconds`.
    pub examples_per_second: f64,
}

/// A model measured on a part of the data: a line of `evaluations.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// Steps the model had been trained for.
    pub step: u64,
    /// What it was measured on.
    pub part: Part,
    /// Mean cross-entropy.
    pub loss: f64,
    /// How good its answers are.
    pub metrics: Metrics,
    /// Whether this is the best model so far; on test data always false.
    pub improved: bool,
    /// Time it took.
    pub seconds: f64,
}

impl Evaluation {
    /// The figure that a metric names.
    pub fn value(&self, metric: BestMetric) -> f64 {
        match metric {
            BestMetric::MacroF1 => self.metrics.macro_f1,
            BestMetric::Accuracy => self.metrics.accuracy,
            BestMetric::AveragePrecision => self.metrics.macro_average_precision,
            BestMetric::Loss => self.loss,
        }
    }
}

/// Where base and data lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// The base model, and how to tell it from another.
    pub base: BaseSource,
    /// What others find the base by: a hub name or a path.
    pub base_name: String,
    /// Training pairs.
    pub train: PathBuf,
    /// Validation pairs, when they are not taken from the training pairs.
    pub validation: Option<PathBuf>,
    /// Test pairs.
    pub test: Option<PathBuf>,
    /// How the files' columns are read.
    pub columns: Columns,
}

/// What a run was begun on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Version of this program.
    pub version: String,
    /// Operating system.
    pub operating_system: String,
    /// Kind of processor.
    pub architecture: String,
    /// Cores the system gives to the program.
    pub cores: usize,
    /// Arithmetic of the frozen model.
    pub precision: String,
    /// Threads of the engine.
    pub threads: usize,
    /// Of every random draw.
    pub seed: u64,
}

/// What the kept model said of a test pair: a line of `test_predictions.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestPrediction {
    /// The pair's label.
    pub label: String,
    /// The probability of every label, in the order of `labels.json`.
    pub probabilities: Vec<f64>,
}

/// The end of a finished run: `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The layer-wise method; `head_only` when the head alone trained.
    pub method: String,
    /// Steps made.
    pub steps: u64,
    /// Whether the run ended before its last step because nothing improved.
    pub stopped_early: bool,
    /// What the kept model was chosen by.
    pub best_metric: BestMetric,
    /// After which step the kept model stood; the last one when there was nothing to choose by.
    pub best_step: u64,
    /// Its figure on the validation pairs.
    pub best_value: Option<f64>,
    /// The kept model on the test pairs.
    pub test: Option<Evaluation>,
    /// In how many steps each layer trained.
    pub layer_steps: Vec<u64>,
    /// Numbers in adapters and head.
    pub parameters: usize,
    /// Examples trained on.
    pub examples: u64,
    /// Tokens run through the model in training steps.
    pub tokens: u64,
    /// Time spent in training steps.
    pub step_seconds: f64,
    /// Time spent in evaluations.
    pub evaluation_seconds: f64,
    /// `examples / step_seconds`.
    pub examples_per_second: f64,
    /// `tokens / step_seconds`.
    pub tokens_per_second: f64,
    /// Most memory the program held at once, in bytes, where the system tells.
    pub peak_bytes: Option<u64>,
}

/// The most memory this process has held so far, in bytes; `None` where the system does not tell.
pub fn peak_bytes() -> Option<u64> {
    peak_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Lets [`peak_bytes`] count from now on, so that each of several runs in one process has a peak of its own; whether
/// the system allows it.
///
/// # Source
/// `clear_refs` in proc(5), value 5.
pub fn reset_peak() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

fn peak_of(status: &str) -> Option<u64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = value.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_from_the_status() {
        assert_eq!(peak_of("Name:\tx\nVmHWM:\t  1536 kB\nVmRSS:\t 12 kB\n"), Some(1_572_864));
        assert_eq!(peak_of("Name:\tx\n"), None);
        if cfg!(target_os = "linux") {
            assert!(peak_bytes().unwrap() > 100_000);
        }
    }

    #[test]
    fn a_peak_can_be_forgotten() {
        if !reset_peak() {
            return;
        }
        let before = peak_bytes().unwrap();
        drop(std::hint::black_box(vec![1u8; 64 << 20]));
        assert!(peak_bytes().unwrap() > before + (32 << 20));
        assert!(reset_peak());
        assert!(peak_bytes().unwrap() < before + (32 << 20));
    }
}

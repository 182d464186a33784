//! What a comparison found: all that its tables and its report show, as `results.json` holds it.

use irtune_metrics::{
    Bootstrap, ClassMetrics, Confusion, Difference, Interval, McNemar, ReliabilityBin, RiskCoveragePoint,
    SignFlip, Spread,
};
use irtune_train::KindFigures;
use serde::{Deserialize, Serialize};

/// The version of `results.json` that this program writes and reads.
pub const FORMAT: u32 = 1;

/// Everything a comparison found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of this program.
    pub version: String,
    /// What was compared, as `compare.toml` has it.
    pub definition: toml::Table,
    /// How intervals and differences were resampled.
    pub bootstrap: Bootstrap,
    /// On what the runs were made, each kind of machine once.
    pub machines: Vec<String>,
    /// The finished cells.
    pub cells: Vec<CellResults>,
    /// The cells that are not finished.
    pub missing: Vec<String>,
    /// Cells that differ in nothing but seed and fold, together.
    pub arms: Vec<Arm>,
    /// Every two arms of a corpus and training size.
    pub comparisons: Vec<Comparison>,
}

/// One finished run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellResults {
    /// Its folder under `runs`.
    pub name: String,
    /// Its arm, by its place in the list.
    pub arm: usize,
    /// Its seed.
    pub seed: u64,
    /// Its fold, counted from 1.
    pub fold: Option<u64>,
    /// Training pairs; where no epoch was completed, as many as fill its batches.
    pub train_examples: u64,
    /// Steps made.
    pub steps: u64,
    /// After which step the kept model stood.
    pub best_step: u64,
    /// Median time of a step.
    pub step_seconds: f64,
    /// Examples trained on in a second of training.
    pub examples_per_second: f64,
    /// Time of all steps.
    pub training_seconds: f64,
    /// Time of all evaluations.
    pub evaluation_seconds: f64,
    /// Most memory held at once.
    pub peak_bytes: Option<u64>,
    /// Share of the layers that trained, over all steps.
    pub trained_share: f64,
    /// Numbers in adapters and head.
    pub parameters: usize,
    /// On its test pairs.
    pub accuracy: f64,
    /// On its test pairs.
    pub macro_f1: f64,
    /// Macro average precision on its test pairs.
    pub average_precision: f64,
    /// Macro F1 of the model's plain outputs on them, without calibration; `None` where the run did not calibrate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain_macro_f1: Option<f64>,
    /// The same by which of their texts the pairs have, where the run recorded it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<KindFigures>,
    /// The training loss over time.
    pub loss: Vec<LossPoint>,
    /// The evaluations on the validation pairs.
    pub validation: Vec<ValidationPoint>,
    /// Decoder layers.
    pub layers: usize,
    /// Which layers trained in each step: text that `layer_code.rs` describes.
    pub layer_steps: String,
}

/// A stretch of a run's training loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LossPoint {
    /// Its last step.
    pub step: u64,
    /// Training time until then.
    pub seconds: f64,
    /// Mean loss of its steps.
    pub loss: f64,
}

/// An evaluation on the validation pairs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ValidationPoint {
    /// After which step.
    pub step: u64,
    /// Training time until then, without evaluations.
    pub seconds: f64,
    /// Mean loss.
    pub loss: f64,
    /// Accuracy.
    pub accuracy: f64,
    /// Macro F1.
    pub macro_f1: f64,
}

/// Cells that differ in nothing but seed and fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Name of the corpus.
    pub corpus: String,
    /// Number of training pairs; `None` for all.
    pub train_size: Option<u64>,
    /// Name of the method's entry.
    pub method: String,
    /// Name of the adapter's entry.
    pub adapter: String,
    /// Training pairs of its first run, as [`CellResults::train_examples`].
    pub train_examples: u64,
    /// The seeds that are finished, with all folds.
    pub seeds: Vec<u64>,
    /// Test pairs of a seed, all folds together.
    pub test_examples: usize,
    /// Share of right answers.
    pub accuracy: Estimate,
    /// Mean F1 over the labels.
    pub macro_f1: Estimate,
    /// Mean area under the labels' precision-recall curves.
    pub average_precision: Estimate,
    /// Median time of a step, over the runs.
    pub step_seconds: Spread,
    /// Over the runs.
    pub examples_per_second: Spread,
    /// Over the runs, where the system tells.
    pub peak_bytes: Option<Spread>,
    /// Share of the layers that trained, over the runs.
    pub trained_share: Spread,
    /// Numbers in adapters and head.
    pub parameters: usize,
    /// Each label's figures, means over the seeds.
    pub classes: Vec<ClassMetrics>,
    /// Counts of true (row) against predicted (column) labels, all seeds together.
    pub confusion: Confusion,
    /// Figures of upper levels, where labels have names such as `content/claim` and some share a level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LevelFigures>,
    /// How far its probabilities can be trusted; `None` in results of versions that did not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<ArmProbabilities>,
}

/// Figures of labels cut off below a level, probabilities summed; means over the seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelFigures {
    /// How many levels of the names are left.
    pub level: usize,
    /// What is left of the labels.
    pub labels: Vec<String>,
    /// Share of right answers.
    pub accuracy: f64,
    /// Mean F1 over these labels.
    pub macro_f1: f64,
}

/// How far the probabilities of an arm can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmProbabilities {
    /// Mean negative logarithm of the true label's probability, over the seeds.
    pub log_loss: Spread,
    /// Brier score, over the seeds.
    pub brier: Spread,
    /// Expected calibration error, over the seeds.
    pub calibration_error: Spread,
    /// Of its mean, over resampled test pairs.
    pub calibration_error_interval: Interval,
    /// Area under the curve of risk over coverage, over the seeds.
    pub risk_coverage_area: Spread,
    /// Bins of probabilities, all seeds together.
    pub reliability: Vec<ReliabilityBin>,
    /// What comes of answering only the surest pairs, all seeds together.
    pub by_coverage: Vec<RiskCoveragePoint>,
    /// Macro F1 of the models' plain outputs, over the runs; `None` where not every run knows it, or with folds.
    pub plain_macro_f1: Option<Spread>,
}

impl Arm {
    /// Whether it is the linear model, which has neither layers nor steps.
    pub fn is_linear(&self) -> bool {
        self.method == irtune_train::LINEAR
    }
}

/// A figure over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Over the seeds.
    pub spread: Spread,
    /// Of the mean, over resampled seeds and examples.
    pub interval: Interval,
}

/// Two arms on the same test pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The first arm, by its place in the list.
    pub first: usize,
    /// The second.
    pub second: usize,
    /// The seeds that both have.
    pub seeds: Vec<u64>,
    /// Mean accuracy of the second less that of the first.
    pub accuracy: f64,
    /// Mean macro F1 of the second less that of the first.
    pub macro_f1: f64,
    /// That of macro F1 on resampled examples, the same for all runs.
    pub bootstrap: Difference,
    /// Its p, corrected for the number of comparisons.
    pub bootstrap_adjusted: f64,
    /// McNemar's test of each seed.
    pub mcnemar: Vec<McNemar>,
    /// Of the seeds together: twice the mean of their p.
    pub mcnemar_p: f64,
    /// That, corrected for the number of comparisons.
    pub mcnemar_adjusted: f64,
    /// The exact permutation test of macro F1 over the seeds.
    pub seeds_test: SignFlip,
    /// Its p, corrected for the number of comparisons.
    pub seeds_adjusted: f64,
}

impl Results {
    /// What to call an arm beside others: what distinguishes it.
    pub fn label(&self, arm: &Arm) -> String {
        let adapters = !arm.is_linear() && self.adapters();
        match adapters {
            true => format!("{} · {}", arm.method, arm.adapter),
            false => arm.method.clone(),
        }
    }

    /// Whether there are several adapters; the linear model has none.
    pub fn adapters(&self) -> bool {
        let mut adapters = self.arms.iter().filter(|arm| !arm.is_linear()).map(|arm| &arm.adapter);
        let first = adapters.next();
        adapters.any(|adapter| Some(adapter) != first)
    }

    /// Corpora and training sizes, each with the places of its arms, in the order of the arms.
    pub fn settings(&self) -> Vec<(String, Vec<usize>)> {
        let mut settings: Vec<(String, Vec<usize>)> = Vec::new();
        let sizes = self.arms.iter().any(|arm| arm.train_size.is_some());
        for (place, arm) in self.arms.iter().enumerate() {
            let name = match (sizes, arm.train_size) {
                (false, _) => arm.corpus.clone(),
                (true, None) => format!("{}, all training pairs", arm.corpus),
                (true, Some(pairs)) => format!("{}, {pairs} training pairs", arm.corpus),
            };
            match settings.iter_mut().find(|(known, _)| *known == name) {
                Some((_, arms)) => arms.push(place),
                None => settings.push((name, vec![place])),
            }
        }
        settings
    }

    /// The comparisons of some arms.
    pub fn comparisons_of<'a>(&'a self, arms: &'a [usize]) -> impl Iterator<Item = &'a Comparison> {
        self.comparisons.iter().filter(|comparison| arms.contains(&comparison.first))
    }
}

//! What a cross-validation came to.

use super::folds_error::FoldsError;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::summary::Summary;
use crate::folder::test_predictions::TestPredictionsError;
use crate::infer::decision::Decided;
use crate::settings::Fold;
use irtune_metrics::Metrics;
use serde::{Deserialize, Serialize};

/// What a cross-validation came to: `folds.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldsSummary {
    /// Folds, and so runs.
    pub folds: usize,
    /// The layer-wise method; `head_only` when the head alone trained.
    pub method: String,
    /// Accuracy on the runs' test pairs.
    pub accuracy: Spread,
    /// Macro precision on the runs' test pairs.
    pub macro_precision: Spread,
    /// Macro recall on the runs' test pairs.
    pub macro_recall: Spread,
    /// Macro-F1 on the runs' test pairs.
    pub macro_f1: Spread,
    /// Macro average precision on the runs' test pairs.
    pub macro_average_precision: Spread,
    /// Mean cross-entropy on the runs' test pairs.
    pub loss: Spread,
    /// The figures of all pairs together, each as the run predicted it that had not seen it.
    pub pooled: Metrics,
    /// The runs, in the order of their folds.
    pub runs: Vec<FoldRun>,
}

/// A figure over the runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Mean over the runs.
    pub mean: f64,
    /// Sample standard deviation over the runs.
    pub deviation: f64,
}

impl Spread {
    /// Mean and sample standard deviation of two values or more.
    pub fn of(values: &[f64]) -> Spread {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Spread { mean, deviation: (squares / (values.len() as f64 - 1.0)).sqrt() }
    }
}

/// One run of a cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldRun {
    /// The fold it was tested on.
    pub fold: Fold,
    /// Its folder, beside `folds.json`.
    pub folder: String,
    /// Its test pairs.
    pub examples: usize,
    /// Accuracy on them.
    pub accuracy: f64,
    /// Macro-F1 on them.
    pub macro_f1: f64,
    /// Mean cross-entropy on them.
    pub loss: f64,
}

pub(super) fn summarize(runs: &[(Fold, RunFolder, Summary)]) -> Result<FoldsSummary, TrainError> {
    let (mut said, mut tested, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (fold, run, summary) in runs {
        let missing = || FoldsError::NoPredictions { path: run.path().to_owned() };
        let test = summary.test.as_ref().ok_or_else(missing)?;
        let set = run.labels()?;
        let decided = match run.decided(&set) {
            Ok(decided) => decided.ok_or_else(missing)?,
            Err(TestPredictionsError::Folder(error)) => return Err(error.into()),
            Err(_) => return Err(missing().into()),
        };
        // A file that is cut off would leave its pairs out of the figures over all parts.
        if decided.examples() != test.metrics.examples {
            return Err(missing().into());
        }
        said.push(decided);
        let folder = run.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (examples, accuracy) = (test.metrics.examples, test.metrics.accuracy);
        let (macro_f1, loss) = (test.metrics.macro_f1, test.loss);
        tested.push((FoldRun { fold: *fold, folder, examples, accuracy, macro_f1, loss }, test));
        names = set.names().to_vec();
    }
    let spread = |figure: fn(&Metrics) -> f64| {
        Spread::of(&tested.iter().map(|(_, test)| figure(&test.metrics)).collect::<Vec<_>>())
    };
    Ok(FoldsSummary {
        folds: runs.len(),
        method: runs.first().map(|(_, _, summary)| summary.method.clone()).unwrap_or_default(),
        accuracy: spread(|metrics| metrics.accuracy),
        macro_precision: spread(|metrics| metrics.macro_precision),
        macro_recall: spread(|metrics| metrics.macro_recall),
        macro_f1: spread(|metrics| metrics.macro_f1),
        macro_average_precision: spread(|metrics| metrics.macro_average_precision),
        loss: Spread::of(&tested.iter().map(|(_, test)| test.loss).collect::<Vec<_>>()),
        pooled: Decided::joined(said)?.metrics(&names, None)?,
        runs: tested.into_iter().map(|(run, _)| run).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_mean_and_sample_deviation() {
        // statistics.stdev([2, 4, 4, 4, 5, 5, 7, 9])
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(spread.mean, 5.0);
        assert!((spread.deviation - 2.138_089_935_299_395).abs() < 1e-15);
    }
}

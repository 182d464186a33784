//! Two models on the same held-out pairs.

use std::path::Path;

use irtune_data::Columns;
use irtune_metrics::Metrics;
use irtune_train::{Predictor, PredictorError, PredictorOptions, RunFolder, RunFolderError};
use serde::{Deserialize, Serialize};

/// How good a model is beside the one before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What the held-out pairs are called.
    pub held_out: String,
    /// How many there are.
    pub pairs: usize,
    /// Share of right answers, before and after.
    pub accuracy: [f64; 2],
    /// Mean F1 over the labels.
    pub macro_f1: [f64; 2],
    /// Mean cross-entropy.
    pub loss: [f64; 2],
    /// By label.
    pub labels: Vec<LabelFigures>,
}

/// How well a label is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelFigures {
    /// The label.
    pub label: String,
    /// Held-out pairs that have it.
    pub pairs: u64,
    /// Its F1, before and after.
    pub f1: [f64; 2],
}

/// Measures two models on the second one's test pairs.
///
/// # Errors
/// When one can't be opened, or knows other labels than the pairs have.
pub(super) fn compare(
    before: &Path,
    after: &Path,
    options: &PredictorOptions,
) -> Result<Comparison, PredictorError> {
    let run = RunFolder::open(after)?;
    let sources = match run.sources() {
        Ok(sources) => sources.test,
        // A linear run has sources of its own.
        Err(_) => run.linear_sources()?.test,
    };
    let held_out = sources.ok_or_else(|| RunFolderError::NotARun { path: after.to_owned() })?;
    let source = held_out.load(after)?;
    let measured = |folder: &Path| {
        let mut predictor = Predictor::open(folder, options)?;
        let pairs = source.pairs(&Columns::default(), predictor.labels_to_read())?;
        predictor.evaluate(pairs, None)
    };
    let (before, after) = (measured(before)?, measured(after)?);
    let f1 = |metrics: &Metrics, label: &str| {
        metrics.classes.iter().find(|class| class.label == label).map_or(0.0, |class| class.f1)
    };
    let labels = after.metrics.classes.iter().map(|class| LabelFigures {
        label: class.label.clone(),
        pairs: class.support,
        f1: [f1(&before.metrics, &class.label), class.f1],
    });
    Ok(Comparison {
        held_out: held_out.to_string(),
        pairs: after.metrics.examples,
        accuracy: [before.metrics.accuracy, after.metrics.accuracy],
        macro_f1: [before.metrics.macro_f1, after.metrics.macro_f1],
        loss: [before.loss, after.loss],
        labels: labels.collect(),
    })
}

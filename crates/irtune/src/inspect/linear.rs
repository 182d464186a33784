//! What a linear run knows.

use irtune_linear::LinearModel;
use irtune_train::{RunFolder, RunFolderError, Summary};
use serde_json::{Value, json};

use crate::show::{linear, report};

/// Terms of each kind and label that programs are given.
const MOST: usize = 50;

/// What a linear run knows.
#[derive(Debug)]
pub struct LinearReport {
    run: RunFolder,
    model: Option<LinearModel>,
    summary: Option<Summary>,
}

impl LinearReport {
    /// Reads a linear run.
    ///
    /// # Errors
    /// When a file of it can't be read.
    pub fn of(run: RunFolder) -> Result<LinearReport, RunFolderError> {
        Ok(LinearReport { model: run.linear_model()?, summary: run.summary()?, run })
    }

    /// Everything for programs.
    ///
    /// # Errors
    /// When a file of the run can't be read.
    pub fn json(&self) -> Result<Value, RunFolderError> {
        let LinearReport { run, model, summary } = self;
        Ok(json!({
            "kind": "linear",
            "path": run.path().display().to_string(),
            "finished": summary.is_some(),
            "settings": run.linear_settings()?,
            "sources": run.linear_sources()?,
            "environment": run.platform()?,
            "labels": run.labels()?,
            "penalty": model.as_ref().map(LinearModel::penalty),
            "weights": model.as_ref().map(|model| model.explain(MOST)),
            "summary": summary,
        }))
    }

    /// The text for a person.
    ///
    /// # Errors
    /// When a file of the run can't be read.
    pub fn text(&self) -> Result<String, RunFolderError> {
        let LinearReport { run, model, summary } = self;
        let line = |name: &str, value: String| format!("  {name:<16}{value}\n");
        let mut out = format!("Linear run {}\n\n", run.path().display());
        out += &line("training pairs", run.linear_sources()?.train.to_string());
        out += &line("labels", run.labels()?.names().join(", "));
        if let Some(model) = model {
            out += &line("penalty", linear::penalty(model));
        }
        if let Some(score) = summary.as_ref().and_then(|summary| summary.validation) {
            let text = format!("macro-F1 {:.3}, accuracy {:.3}", score.macro_f1, score.accuracy);
            out += &line("validation", text);
        }
        if let Some(model) = model {
            out += "\nWhat speaks most for each label:\n";
            out += &linear::weights(model);
        }
        if let Some(test) = summary.as_ref().and_then(|summary| summary.test.as_ref()) {
            out += &format!("\nTest pairs:\n{}", report::metrics(&test.metrics));
        }
        Ok(out)
    }
}

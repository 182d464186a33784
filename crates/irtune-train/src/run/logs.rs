//! The logs of a run, and how much of each is written.

use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::evaluation::Evaluation;
use crate::folder::state::LogLengths;
use crate::folder::step_report::StepReport;
use crate::folder::tensorboard;
use irtune_files::Files;
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The three logs, written line by line, or event by event.
#[derive(Debug)]
pub(crate) struct Logs {
    metrics: PathBuf,
    evaluations: PathBuf,
    events: PathBuf,
    lengths: LogLengths,
}

impl Logs {
    pub(crate) fn new(folder: &RunFolder) -> Self {
        Self {
            metrics: folder.metrics_path(),
            evaluations: folder.evaluations_path(),
            events: folder.events_path(),
            lengths: LogLengths::default(),
        }
    }

    /// How much is written.
    pub(crate) fn lengths(&self) -> LogLengths {
        self.lengths
    }

    /// Forgets what was written after a checkpoint.
    pub(crate) fn shorten(&mut self, files: &dyn Files, lengths: LogLengths) -> Result<(), TrainError> {
        let logs = [
            (&self.metrics, lengths.metrics),
            (&self.evaluations, lengths.evaluations),
            (&self.events, lengths.events),
        ];
        for (path, length) in logs {
            files.truncate(path, length).map_err(|source| TrainError::Log { path: path.clone(), source })?;
        }
        self.lengths = lengths;
        Ok(())
    }

    /// Makes durable what was written.
    pub(crate) fn sync(&self, files: &dyn Files) -> Result<(), TrainError> {
        for path in [&self.metrics, &self.evaluations, &self.events] {
            files.sync(path).map_err(|source| TrainError::Log { path: path.clone(), source })?;
        }
        Ok(())
    }

    pub(crate) fn step(&mut self, files: &dyn Files, report: &StepReport) -> Result<(), TrainError> {
        append(files, &self.metrics, &mut self.lengths.metrics, &line(&self.metrics, report)?)?;
        let scalars = [
            ("train/loss", report.loss),
            ("train/learning_rate", report.learning_rate),
            ("train/gradient_norm", report.gradient_norm),
            ("train/active_layers", report.active_layers.len() as f64),
            ("train/tokens_per_second", report.tokens_per_second),
        ];
        self.event(files, report.step, &scalars)
    }

    pub(crate) fn evaluation(
        &mut self,
        files: &dyn Files,
        evaluation: &Evaluation,
    ) -> Result<(), TrainError> {
        let line = line(&self.evaluations, evaluation)?;
        append(files, &self.evaluations, &mut self.lengths.evaluations, &line)?;
        let split = evaluation.split.name();
        let scalars = [
            ("loss", evaluation.loss),
            ("accuracy", evaluation.metrics.accuracy),
            ("macro_f1", evaluation.metrics.macro_f1),
            ("average_precision", evaluation.metrics.macro_average_precision),
        ];
        let names = scalars.map(|(name, _)| format!("{split}/{name}"));
        let scalars: Vec<(&str, f64)> =
            names.iter().zip(scalars).map(|(name, (_, value))| (name.as_str(), value)).collect();
        self.event(files, evaluation.step, &scalars)
    }

    fn event(&mut self, files: &dyn Files, step: u64, scalars: &[(&str, f64)]) -> Result<(), TrainError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |passed| passed.as_secs_f64());
        let mut bytes = Vec::new();
        if self.lengths.events == 0 {
            tensorboard::write_header(&mut bytes, now);
        }
        tensorboard::write_scalars(&mut bytes, now, step, scalars);
        append(files, &self.events, &mut self.lengths.events, &bytes)
    }
}

fn line(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, TrainError> {
    let mut line = serde_json::to_vec(value)
        .map_err(|error| TrainError::Log { path: path.to_owned(), source: io::Error::from(error) })?;
    line.push(b'\n');
    Ok(line)
}

fn append(files: &dyn Files, path: &Path, length: &mut u64, bytes: &[u8]) -> Result<(), TrainError> {
    files.append(path, bytes).map_err(|source| TrainError::Log { path: path.to_owned(), source })?;
    *length += bytes.len() as u64;
    Ok(())
}

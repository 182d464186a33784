//! How far a training is.

use std::sync::{Arc, Mutex, PoisonError};

use irtune_train::{Evaluation, Observer, RunStart, StepReport};
use serde::Serialize;

/// How far a training is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Progress {
    /// Steps made.
    pub step: u64,
    /// Steps that there will be; 0 until that is known.
    pub total: u64,
    /// The loss of the last step.
    pub loss: Option<f64>,
    /// What is done now.
    pub phase: Phase,
}

/// What is done now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Phase {
    /// Pairs and base are read.
    #[default]
    Reading,
    /// Steps are made.
    Training,
    /// Both models are measured.
    Measuring,
}

/// What a run tells goes there.
pub(super) struct Watching(pub Arc<Mutex<Progress>>);

impl Watching {
    fn change(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn measuring(&self) {
        self.change(|progress| progress.phase = Phase::Measuring);
    }
}

impl Observer for Watching {
    fn on_start(&mut self, start: &RunStart) {
        let (step, total) = (start.completed_steps, start.total_steps);
        self.change(|progress| *progress = Progress { step, total, loss: None, phase: Phase::Training });
    }

    fn on_step(&mut self, report: &StepReport) {
        self.change(|progress| (progress.step, progress.loss) = (report.step, Some(report.loss)));
    }

    fn on_evaluation(&mut self, evaluation: &Evaluation) {
        self.change(|progress| progress.step = progress.step.max(evaluation.step));
    }
}

//! How a run tells what it does; what is done with it is the caller's business.

use super::notice::Notice;
use crate::folder::evaluation::Evaluation;
use crate::folder::step_report::StepReport;
use irtune_linear::Candidate;
use serde::Serialize;
use std::path::Path;

/// Is told what happens in a run. Every method does nothing unless it is given something to do.
///
/// A run may go on in another thread than the one that began it, so an observer can be sent there.
pub trait Observer: Send {
    /// The run is about to make its first step, or to continue.
    fn on_start(&mut self, _start: &RunStart) {}

    /// The frozen weights of `done` of `layers` layers were measured, for a method that chooses by them.
    fn on_weights(&mut self, _done: usize, _layers: usize) {}

    /// A step was made.
    fn on_step(&mut self, _report: &StepReport) {}

    /// The model was evaluated.
    fn on_evaluation(&mut self, _evaluation: &Evaluation) {}

    /// A checkpoint was written after `step` steps.
    fn on_checkpoint(&mut self, _step: u64, _path: &Path) {}

    /// A penalty of a linear model was tried.
    fn on_candidate(&mut self, _candidate: &Candidate) {}

    /// Something the user should know.
    fn on_notice(&mut self, _notice: &Notice) {}
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// What a run is, before its first step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunStart {
    /// Steps already made: 0, unless the run is resumed.
    pub completed_steps: u64,
    /// Steps the run will have made at its end.
    pub total_steps: u64,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Decoder layers of the base.
    pub layers: usize,
    /// The labels, in the order of the model's outputs.
    pub labels: Vec<String>,
    /// Training examples.
    pub train_examples: usize,
    /// Validation examples.
    pub validation_examples: usize,
    /// Test examples.
    pub test_examples: usize,
    /// Arithmetic of the engine.
    pub precision: String,
    /// Threads of the engine.
    pub threads: usize,
}

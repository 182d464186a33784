//! The observer of the tests: keeps what a run tells, and interrupts it after some steps.

use irtune_train::{Evaluation, Notice, Observer, RunStart, StepReport};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a run told.
#[derive(Default)]
pub struct Recorder<'a> {
    /// After how many steps to interrupt, counted in this process, and the flag to raise.
    pub interrupt_after: Option<(usize, &'a AtomicBool)>,
    pub start: Option<RunStart>,
    pub steps: Vec<StepReport>,
    pub evaluations: Vec<Evaluation>,
    pub checkpoints: Vec<u64>,
    pub notices: Vec<Notice>,
}

impl Observer for Recorder<'_> {
    fn on_start(&mut self, start: &RunStart) {
        self.start = Some(start.clone());
    }

    fn on_step(&mut self, report: &StepReport) {
        self.steps.push(report.clone());
        if let Some((steps, interrupt)) = self.interrupt_after
            && steps == self.steps.len()
        {
            interrupt.store(true, Ordering::Relaxed);
        }
    }

    fn on_evaluation(&mut self, evaluation: &Evaluation) {
        self.evaluations.push(evaluation.clone());
    }

    fn on_checkpoint(&mut self, step: u64, path: &Path) {
        assert!(path.is_dir());
        self.checkpoints.push(step);
    }

    fn on_notice(&mut self, notice: &Notice) {
        self.notices.push(notice.clone());
    }
}

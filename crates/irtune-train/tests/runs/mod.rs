//! What the tests of whole runs share: a place with data that a tiny Llama can learn, a request, and an observer.
#![allow(dead_code, reason = "each test file uses a part of it")]

use irtune_data::Columns;
use irtune_model::Precision;
use irtune_train::{
    Every, Notice, Observer, RunStart, StepReport, Summary, TrainError, TrainOutcome, TrainRequest,
    TrainSettings, train,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// A folder of its own with training and test pairs.
pub struct Place {
    directory: TempDir,
}

impl Place {
    pub fn new(train: &str, test: &str) -> Self {
        let place = Place { directory: tempfile::tempdir().unwrap() };
        fs::write(place.path("train.jsonl"), train).unwrap();
        fs::write(place.path("test.jsonl"), test).unwrap();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A few steps over the pairs on a tiny Llama of six layers.
    pub fn request(&self, out: &str, change: impl FnOnce(&mut TrainSettings)) -> TrainRequest {
        let mut settings = TrainSettings {
            rank: 4,
            alpha: 8.0,
            learning_rate: 0.01,
            warmup_steps: 1,
            batch_size: 4,
            gradient_accumulation: 2,
            epochs: 2,
            max_length: 60,
            prompt: "pair".into(),
            validation_fraction: 0.2,
            eval_every: Every::Steps(3),
            save_every: Every::Steps(2),
            precision: Precision::F32,
            threads: Some(1),
            ..Default::default()
        };
        change(&mut settings);
        TrainRequest {
            base: golden_model("six_layers"),
            base_name: "tiny/llama".into(),
            train: self.path("train.jsonl").into(),
            validation: None,
            test: Some(self.path("test.jsonl").into()),
            columns: Columns::default(),
            out: self.path(out),
            settings,
        }
    }

    /// Everything in the place, hidden names included.
    pub fn names(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.directory.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// A pair in words that the tiny model knows, and what its label shows in: what was added.
pub fn texts(number: usize, label: usize) -> (String, String) {
    let original = format!("w{} w{} w{}", 10 + number % 7, 20 + number % 5, 30 + number % 11);
    let revised = format!("{original} w{} w{}", 60 + 10 * label + number % 3, 100 + 20 * label);
    (original, revised)
}

pub fn golden_model(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/tiny_llama").join(case).join("model")
}

/// Keeps what a run tells, and interrupts it after some steps.
#[derive(Default)]
pub struct Recorder<'a> {
    pub interrupt_after: Option<(usize, &'a AtomicBool)>,
    pub start: Option<RunStart>,
    pub notices: Vec<Notice>,
    pub losses: Vec<f64>,
}

impl Observer for Recorder<'_> {
    fn on_start(&mut self, start: &RunStart) {
        self.start = Some(start.clone());
    }

    fn on_step(&mut self, report: &StepReport) {
        self.losses.push(report.loss);
        if let Some((steps, interrupt)) = self.interrupt_after
            && steps == self.losses.len()
        {
            interrupt.store(true, Ordering::Relaxed);
        }
    }

    fn on_notice(&mut self, notice: &Notice) {
        self.notices.push(notice.clone());
    }
}

pub fn never() -> AtomicBool {
    AtomicBool::new(false)
}

pub fn finish(request: &TrainRequest) -> (Summary, Recorder<'static>) {
    let mut recorder = Recorder::default();
    match train(request, &mut recorder, &never()).unwrap() {
        TrainOutcome::Finished(summary) => (*summary, recorder),
        other => panic!("{other:?}"),
    }
}

/// A new run that is interrupted after this many steps.
pub fn interrupted(request: &TrainRequest, steps: usize) {
    let interrupt = never();
    let mut recorder = Recorder { interrupt_after: Some((steps, &interrupt)), ..Default::default() };
    let outcome = train(request, &mut recorder, &interrupt).unwrap();
    assert!(matches!(outcome, TrainOutcome::Interrupted { step, .. } if step == steps as u64), "{outcome:?}");
}

pub fn failure(request: &TrainRequest) -> TrainError {
    train(request, &mut Recorder::default(), &never()).unwrap_err()
}

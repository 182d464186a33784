//! What the tests of whole runs share: a place with data that a tiny Llama can learn, a request, and an observer.

use irtune_data::Columns;
use irtune_model::Precision;
use irtune_testing::golden::tiny_llama;
use irtune_train::{
    Every, HeadKind, StoredFile, Summary, TrainError, TrainOutcome, TrainRequest, TrainSettings, train,
};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;

use crate::recorder::Recorder;

/// A file that nobody reads.
pub fn stored_file(name: &str) -> StoredFile {
    StoredFile { file: name.into(), sha256: None }
}

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
            warmup_steps: Some(1),
            batch_size: 4,
            gradient_accumulation: 2,
            epochs: 2,
            min_steps: 0,
            head: HeadKind::Pooled,
            stack: false,
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
            base: tiny_llama("six_layers"),
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

//! A model trained again: on what people said, and on the pairs of the run that the server was started with.
//!
//! It trains on a thread of its own, of low priority where the system knows such, while the server answers. What it learns
//! from is kept in its run folder, so that it can be continued after a kill. Then it and the model at work are measured on
//! the same held-out pairs.

mod compare;
mod held_out;
mod progress;
mod recipe;
mod rows;

pub use compare::Comparison;
pub use progress::Progress;
pub use recipe::{Recipe, own_pairs};

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use irtune_labelling::store::{ModelId, ModelState, TrainingPair};
use irtune_train::{PredictorOptions, TrainError, TrainOutcome};

use progress::Watching;

/// A training at hand.
pub struct Retraining {
    /// The model that is trained.
    pub model: ModelId,
    interrupt: Arc<AtomicBool>,
    progress: Arc<Mutex<Progress>>,
}

impl Retraining {
    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it after the step at hand; it can be continued.
    pub fn cancel(&self) {
        self.interrupt.store(true, Ordering::SeqCst);
    }
}

/// Where a model begins.
pub enum Start {
    /// From labelled pairs.
    New {
        /// What people said.
        pairs: Vec<TrainingPair>,
        /// Whether the run's own training pairs are taken too.
        own: bool,
    },
    /// Where its run folder stopped.
    Resumed,
}

/// A model to train.
pub struct Job {
    /// Its number.
    pub model: ModelId,
    /// Its run folder.
    pub out: PathBuf,
    /// The run whose settings and pairs it takes.
    pub run: PathBuf,
    /// How models are opened.
    pub predictor: PredictorOptions,
    /// The run folder of the model at work, which it is measured beside.
    pub before: PathBuf,
    /// Where it begins.
    pub start: Start,
}

/// What became of a training.
pub struct Ended {
    /// How far it came.
    pub state: ModelState,
    /// What went wrong, if something did.
    pub message: Option<String>,
    /// How good the model is, as JSON.
    pub comparison: Option<String>,
}

/// Trains a model in the background; `ended` is told what became of it.
pub fn begin(job: Job, ended: impl FnOnce(Ended) + Send + 'static) -> Retraining {
    let (interrupt, progress) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Progress::default())));
    let retraining =
        Retraining { model: job.model, interrupt: interrupt.clone(), progress: progress.clone() };
    thread::spawn(move || {
        lower_priority();
        let mut watching = Watching(progress);
        let work = || run(&job, &mut watching, &interrupt);
        let came_to =
            catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("the training broke".to_owned()));
        let (state, message, comparison) = match came_to {
            Ok(Some(comparison)) => {
                let text = serde_json::to_string(&comparison).expect("texts and finite numbers are JSON");
                (ModelState::Finished, None, Some(text))
            }
            Ok(None) => (ModelState::Cancelled, None, None),
            Err(message) => (ModelState::Failed, Some(message), None),
        };
        ended(Ended { state, message, comparison });
    });
    retraining
}

/// Trains and measures; nothing where it was cancelled.
fn run(job: &Job, watching: &mut Watching, interrupt: &AtomicBool) -> Result<Option<Comparison>, String> {
    match train(job, watching, interrupt) {
        // It was finished and not measured yet.
        Ok(TrainOutcome::Finished(_)) | Err(TrainError::Finished { .. }) => {}
        Ok(TrainOutcome::Interrupted { .. }) => return Ok(None),
        Err(error) => return Err(error.to_string()),
    }
    watching.measuring();
    let compared = compare::compare(&job.before, &job.out, &job.predictor);
    compared.map(Some).map_err(|error| error.to_string())
}

fn train(job: &Job, watching: &mut Watching, interrupt: &AtomicBool) -> Result<TrainOutcome, TrainError> {
    match &job.start {
        Start::New { pairs, own } => {
            Recipe::of(&job.run, &job.predictor)?.train(&job.out, pairs, *own, watching, interrupt)
        }
        Start::Resumed => irtune_train::resume(&job.out, watching, interrupt),
    }
}

/// Lets the threads that answer go first.
#[cfg(target_os = "linux")]
fn lower_priority() {
    // On Linux it is this thread's priority, and that of the threads that it makes. Without it all is as well, but slower.
    let _ = rustix::process::setpriority_process(None, 10);
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

/// Whether a model's run folder is there, to be continued.
pub fn is_begun(folder: &Path) -> bool {
    folder.is_dir()
}

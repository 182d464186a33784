//! A run: steps, evaluations, checkpoints, the best model, and stopping.

mod collapse;
pub(crate) mod corpora;
pub(crate) mod cross_validation;
pub mod data;
pub(crate) mod epochs;
mod evaluate;
pub(crate) mod export;
mod finish;
pub(crate) mod folds_error;
pub(crate) mod folds_summary;
pub(crate) mod held_out;
mod keep;
mod logs;
pub(crate) mod notice;
pub(crate) mod observer;
mod piped;
pub(crate) mod request;
pub(crate) mod train;
pub(crate) mod trained_on;

use crate::closing::split_outputs::SplitOutputs;
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::checkpoint::{self, Checkpoint};
use crate::folder::state::{RunState, Totals};
use crate::folder::step_report::StepReport;
use crate::folder::summary::Summary;
use crate::linear::reference::LinearAnswers;
use crate::settings::TrainSettings;
use crate::step::{self, StepBatch, StepRecipe, StepScratch};
use data::RunData;
pub use export::Export;
use irtune_data::{EpochOrder, Example};
use irtune_files::Files;
use irtune_model::{Engine, ModelError};
use irtune_select::LayerPolicy;
use logs::Logs;
use notice::Notice;
use observer::{Observer, RunStart};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What a run is made of.
pub struct RunParts<'a> {
    /// How it trains; `problems()` of these must be empty.
    pub settings: &'a TrainSettings,
    /// The model.
    pub engine: &'a mut dyn Engine,
    /// What chooses the layers.
    pub policy: &'a mut dyn LayerPolicy,
    /// What it trains and is measured on.
    pub data: &'a RunData,
    /// Where it writes.
    pub folder: &'a RunFolder,
    /// How it writes.
    pub files: &'a dyn Files,
    /// What a linear model says of the same pairs.
    pub linear: Option<&'a LinearAnswers>,
    /// How the best model is written.
    pub export: Export<'a>,
    /// Confirms that the base's files are still those that were opened; asked before each checkpoint.
    pub check_base: &'a dyn Fn() -> Result<(), ModelError>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainOutcome {
    /// It made all its steps, or stopped early as the settings say.
    Finished(Box<Summary>),
    /// It was interrupted and can be resumed.
    Interrupted {
        /// Steps completed.
        step: u64,
        /// Where it will continue from.
        checkpoint: PathBuf,
    },
}

/// Trains from the beginning, or from a checkpoint, until the end or an interrupt.
///
/// An interrupt lets the present step finish; then a checkpoint is written. An evaluation is broken off, and made
/// anew when the run is resumed.
///
/// # Errors
/// When a step fails or something can't be written; the checkpoint before that stays valid.
pub fn run<'a>(
    parts: RunParts<'a>,
    observer: &'a mut dyn Observer,
    interrupt: &'a AtomicBool,
    checkpoint: Option<Checkpoint>,
) -> Result<TrainOutcome, TrainError> {
    let mut run = Run::new(parts, observer, interrupt)?;
    match checkpoint {
        Some(checkpoint) => run.restore(checkpoint)?,
        None => run.begin()?,
    }
    run.start()?;
    loop {
        if run.evaluation_is_due() && !run.evaluate()? {
            return run.pause();
        }
        if run.is_over() {
            return run.finish();
        }
        if run.checkpoint_is_due() {
            run.save()?;
        }
        if interrupt.load(Ordering::Relaxed) {
            return run.pause();
        }
        run.step()?;
    }
}

struct Run<'a> {
    parts: RunParts<'a>,
    observer: &'a mut dyn Observer,
    interrupt: &'a AtomicBool,
    recipe: StepRecipe,
    order: EpochOrder,
    batches: Option<(u64, Vec<Vec<usize>>)>,
    scratch: StepScratch,
    steps_per_epoch: u64,
    total_steps: u64,
    logs: Logs,
    state: RunState,
    /// The layer below which hidden states are kept; 0 when they are not.
    cached: usize,
    /// The last checkpoint, and the file of the best model it names.
    saved: Option<(u64, PathBuf, Option<String>)>,
    /// What the best model put out for the validation pairs; not known after the run was resumed, until there is a
    /// better one.
    best_validation: Option<SplitOutputs>,
}

impl<'a> Run<'a> {
    fn new(
        parts: RunParts<'a>,
        observer: &'a mut dyn Observer,
        interrupt: &'a AtomicBool,
    ) -> Result<Self, TrainError> {
        let (settings, layers) = (parts.settings, parts.engine.config().layers);
        let order = epochs::order(settings, &parts.data.train)?;
        let steps_per_epoch = order.steps_per_epoch() as u64;
        let recipe = StepRecipe::of(settings);
        let state = RunState {
            step: 0,
            policy: parts.policy.state(),
            layer_steps: vec![0; layers],
            best: None,
            evaluated_step: None,
            evaluations_without_improvement: 0,
            totals: Totals::default(),
            logs: Default::default(),
            data: parts.data.prints(),
        };
        Ok(Self {
            recipe,
            order,
            batches: None,
            scratch: StepScratch::new(layers),
            steps_per_epoch,
            total_steps: settings.total_steps(steps_per_epoch),
            logs: Logs::new(parts.folder),
            state,
            cached: 0,
            saved: None,
            best_validation: None,
            parts,
            observer,
            interrupt,
        })
    }

    /// Removes what a run that was killed before its first checkpoint left in the folder.
    fn begin(&mut self) -> Result<(), TrainError> {
        self.logs.shorten(self.parts.files, Default::default())?;
        for path in [self.parts.folder.checkpoints_path(), self.model_path()] {
            self.parts.files.remove_directory(&path).map_err(|source| TrainError::Log { path, source })?;
        }
        Ok(())
    }

    fn restore(&mut self, checkpoint: Checkpoint) -> Result<(), TrainError> {
        let Checkpoint { state, parameters, optimizer } = checkpoint;
        self.parts.engine.load_parameters(&parameters)?;
        self.parts.engine.load_optimizer_state(&optimizer)?;
        self.parts.policy.restore(&state.policy)?;
        self.logs.shorten(self.parts.files, state.logs)?;
        let directory = self.parts.folder.checkpoints_path();
        checkpoint::clean(self.parts.files, &directory)?;
        let best = state.best.as_ref().map(|best| best.file.name.clone());
        self.remove_best_files_except(best.as_deref())?;
        self.saved = Some((state.step, directory.join(checkpoint::name(state.step)), best));
        self.state = state;
        if let Some(best) = self.best_parameters()? {
            self.export(best)?;
        }
        Ok(())
    }

    /// Where the best model is exported to.
    fn model_path(&self) -> PathBuf {
        self.parts.folder.model_path(self.parts.settings.tune)
    }

    fn start(&mut self) -> Result<(), TrainError> {
        let (settings, data) = (self.parts.settings, self.parts.data);
        self.observer.on_start(&RunStart {
            completed_steps: self.state.step,
            total_steps: self.total_steps,
            steps_per_epoch: self.steps_per_epoch,
            layers: self.state.layer_steps.len(),
            labels: data.labels.names().to_vec(),
            train_examples: data.train.len(),
            validation_examples: data.validation.len(),
            test_examples: data.test.len(),
            precision: self.parts.engine.precision().to_owned(),
            threads: self.parts.engine.threads(),
        });
        let warmup_steps = settings.warmup(self.total_steps);
        if warmup_steps >= self.total_steps {
            self.observer.on_notice(&Notice::WarmupLongerThanRun {
                warmup_steps,
                total_steps: self.total_steps,
                highest: self.learning_rate(self.total_steps - 1),
            });
        }
        if let Some(weights) = &self.parts.engine.loss_options().class_weights {
            let weights = data.labels.names().iter().cloned().zip(weights.iter().copied()).collect();
            self.observer.on_notice(&Notice::ClassWeights { weights });
        }
        if let Some(validation) = self.parts.linear.and_then(|linear| linear.summary.validation) {
            self.observer.on_notice(&Notice::Linear { validation });
        }
        if data.validation.is_empty() {
            self.observer.on_notice(&Notice::NoValidation);
        }
        if let Some(measure) = self.parts.policy.needs().weights {
            let layers = self.state.layer_steps.len();
            let (engine, observer) = (&*self.parts.engine, &mut self.observer);
            let measured = step::measure_weights(engine, measure, |done| observer.on_weights(done, layers))?;
            self.scratch.set_weights(measured);
        }
        self.cache_states()
    }

    /// Keeps hidden states below the lowest layer that still trains, from when that is known.
    ///
    /// A run of the head alone does so unasked: its file is small, a row for each example.
    fn cache_states(&mut self) -> Result<(), TrainError> {
        let (settings, lowest) = (self.parts.settings, self.parts.policy.lowest());
        if (settings.cache_states || settings.head_only) && lowest > self.cached {
            self.parts.engine.cache_states(lowest, self.parts.folder.path())?;
            self.cached = lowest;
        }
        Ok(())
    }

    fn learning_rate(&self, completed: u64) -> f64 {
        let settings = self.parts.settings;
        let warmup_steps = settings.warmup(self.total_steps);
        settings.learning_rate * settings.schedule.factor(completed, warmup_steps, self.total_steps)
    }

    fn stopped_early(&self) -> bool {
        let patience = self.parts.settings.early_stopping_patience;
        patience.is_some_and(|patience| self.state.evaluations_without_improvement >= patience)
    }

    fn is_over(&self) -> bool {
        self.state.step >= self.total_steps || self.stopped_early()
    }

    fn evaluation_is_due(&self) -> bool {
        let (step, every) = (self.state.step, self.parts.settings.eval_every);
        let due = every.due(step, self.steps_per_epoch) || step >= self.total_steps;
        due && self.state.evaluated_step != Some(step) && !self.parts.data.validation.is_empty()
    }

    fn checkpoint_is_due(&self) -> bool {
        self.parts.settings.save_every.due(self.state.step, self.steps_per_epoch)
    }

    fn step(&mut self) -> Result<(), TrainError> {
        let started = Instant::now();
        let completed = self.state.step;
        let (epoch, position) = (completed / self.steps_per_epoch, completed % self.steps_per_epoch);
        if self.batches.as_ref().is_none_or(|(of, _)| *of != epoch) {
            self.batches = Some((epoch, self.order.batches(epoch)));
        }
        let indices = self.batches.as_ref().map_or(&[][..], |(_, batches)| &batches[position as usize]);
        let examples: Vec<&Example> = indices.iter().map(|&index| &self.parts.data.train[index]).collect();
        let learning_rate = self.learning_rate(completed);
        let batch = StepBatch { step: completed, examples: &examples, learning_rate };
        let outcome = step::training_step(
            self.parts.engine,
            self.parts.policy,
            &self.recipe,
            &batch,
            &mut self.scratch,
        )
        .map_err(|source| TrainError::Step {
            step: completed + 1,
            checkpoint: self.saved.as_ref().map(|(_, path, _)| path.clone()),
            source: Box::new(source),
        })?;
        let seconds = started.elapsed().as_secs_f64();
        let report = StepReport {
            step: completed + 1,
            epoch: (completed + 1) as f64 / self.steps_per_epoch as f64,
            loss: outcome.loss,
            learning_rate,
            gradient_norm: outcome.gradient_norm,
            active_layers: outcome.active_layers.iter().collect(),
            scores: self.parts.policy.scores().to_vec(),
            examples: examples.len(),
            tokens: outcome.tokens,
            seconds,
            tokens_per_second: outcome.tokens as f64 / seconds,
            examples_per_second: examples.len() as f64 / seconds,
        };
        self.state.step = report.step;
        for &layer in &report.active_layers {
            self.state.layer_steps[layer] += 1;
        }
        self.state.totals.examples += report.examples as u64;
        self.state.totals.tokens += report.tokens as u64;
        self.state.totals.step_seconds += seconds;
        self.logs.step(self.parts.files, &report)?;
        self.observer.on_step(&report);
        self.cache_states()
    }
}

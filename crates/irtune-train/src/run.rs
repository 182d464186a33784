//! A run: steps, evaluations, checkpoints, the best model, and stopping.

use crate::checkpoint::{self, Checkpoint};
use crate::data::RunData;
use crate::error::TrainError;
use crate::evaluate;
use crate::logs::Logs;
use crate::observer::{Notice, Observer, Part, RunStart};
use crate::records::{self, Evaluation, StepReport, Summary};
use crate::run_folder::RunFolder;
use crate::settings::{Batches, TrainSettings};
use crate::state::{Best, DataPrints, RunState, Totals};
use crate::step::{self, StepBatch, StepRecipe, StepScratch};
use crate::tensor_file;
use irtune_data::{EpochOrder, Example, related};
use irtune_files::Files;
use irtune_metrics::{Metrics, Predictions};
use irtune_model::{Engine, HostTensor, ModelError};
use irtune_select::LayerPolicy;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Writes what trained, and the head, as a folder that [`crate::Predictor`] can load: an adapter, or tuned weights.
pub type Export<'a> = &'a dyn Fn(&Path, &[HostTensor]) -> Result<(), ModelError>;

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
    /// How the best model is written.
    pub export: Export<'a>,
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
}

impl<'a> Run<'a> {
    fn new(
        parts: RunParts<'a>,
        observer: &'a mut dyn Observer,
        interrupt: &'a AtomicBool,
    ) -> Result<Self, TrainError> {
        let (settings, layers) = (parts.settings, parts.engine.config().layers);
        let order = EpochOrder::new(parts.data.train.len(), settings.step_examples(), settings.seed)?;
        let order = match settings.batches {
            Batches::Shuffled => order,
            Batches::Related => order.with_groups(related(&parts.data.train)),
        };
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
            total_steps: settings.max_steps.unwrap_or(settings.epochs * steps_per_epoch),
            logs: Logs::new(parts.folder),
            state,
            cached: 0,
            saved: None,
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
        if settings.warmup_steps >= self.total_steps {
            self.observer.on_notice(&Notice::WarmupLongerThanRun {
                warmup_steps: settings.warmup_steps,
                total_steps: self.total_steps,
                highest: self.learning_rate(self.total_steps - 1),
            });
        }
        if let Some(weights) = &self.parts.engine.loss_options().class_weights {
            let weights = data.labels.names().iter().cloned().zip(weights.iter().copied()).collect();
            self.observer.on_notice(&Notice::ClassWeights { weights });
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
        settings.learning_rate * settings.schedule.factor(completed, settings.warmup_steps, self.total_steps)
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

    /// Evaluates on the validation pairs and keeps the model if it is the best; false when interrupted.
    fn evaluate(&mut self) -> Result<bool, TrainError> {
        let Some((mut evaluation, _)) = self.measure(Part::Validation)? else { return Ok(false) };
        let metric = self.parts.settings.best_metric;
        let value = evaluation.value(metric);
        evaluation.improved = match &self.state.best {
            Some(best) => metric.improves(value, best.value),
            None => value.is_finite(),
        };
        if evaluation.improved {
            self.state.evaluations_without_improvement = 0;
            self.keep_best(value)?;
        } else {
            self.state.evaluations_without_improvement += 1;
        }
        self.state.evaluated_step = Some(self.state.step);
        self.record(&evaluation)?;
        Ok(true)
    }

    fn measure(&mut self, part: Part) -> Result<Option<(Evaluation, Predictions)>, TrainError> {
        let started = Instant::now();
        let examples = match part {
            Part::Train => &self.parts.data.train,
            Part::Validation => &self.parts.data.validation,
            Part::Test => &self.parts.data.test,
        };
        let limit = self.parts.settings.batch_limit();
        let Some(logits) = evaluate::logits(self.parts.engine, examples, limit, self.interrupt)? else {
            return Ok(None);
        };
        let targets: Vec<u32> = examples.iter().filter_map(|example| example.label).collect();
        let labels = self.parts.data.labels.len();
        let probabilities: Vec<f64> = logits.chunks_exact(labels).flat_map(evaluate::softmax).collect();
        let predictions = Predictions::new(&targets, &probabilities, labels)?;
        let metrics = Metrics::of(&predictions, self.parts.data.labels.names(), None)?;
        let seconds = started.elapsed().as_secs_f64();
        self.state.totals.evaluation_seconds += seconds;
        let loss = evaluate::mean_loss(&logits, &targets, labels);
        let evaluation = Evaluation { step: self.state.step, part, loss, metrics, improved: false, seconds };
        Ok(Some((evaluation, predictions)))
    }

    fn record(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        self.logs.evaluation(self.parts.files, evaluation)?;
        self.observer.on_evaluation(evaluation);
        Ok(())
    }

    /// Stores the present parameters as the best ones, beside those that a checkpoint still names.
    fn keep_best(&mut self, value: f64) -> Result<(), TrainError> {
        let (files, directory) = (self.parts.files, self.parts.folder.checkpoints_path());
        let parameters = self.parts.engine.parameters();
        let path = directory.join(format!("{BEST}{:08}.safetensors", self.state.step));
        let wrap = |source| TrainError::Log { path: path.clone(), source };
        files.create_directory(&directory).map_err(wrap)?;
        let file = tensor_file::write_sealed(files, &path, &|writer| {
            tensor_file::write_tensors(&parameters, writer)
        })
        .map_err(|source| {
            // The first error is the one to report; what is left in part is also removed when the run is resumed.
            let _ = files.remove_file(&path);
            wrap(source)
        })?;
        self.export(parameters)?;
        let before = self.state.best.replace(Best { step: self.state.step, value, file });
        let before = before.map(|best| best.file.name);
        if before.is_some() && self.saved.as_ref().is_none_or(|(_, _, named)| *named != before) {
            self.remove_best_file(before)?;
        }
        Ok(())
    }

    /// Writes parameters as the run's model.
    fn export(&self, parameters: Vec<HostTensor>) -> Result<(), TrainError> {
        let exported = self.parts.engine.exported(parameters);
        Ok((self.parts.export)(&self.model_path(), &exported)?)
    }

    fn remove_best_file(&self, name: Option<String>) -> Result<(), TrainError> {
        let Some(path) = name.map(|name| self.parts.folder.checkpoints_path().join(name)) else {
            return Ok(());
        };
        self.parts.files.remove_file(&path).map_err(|source| TrainError::Log { path, source })
    }

    fn remove_best_files_except(&self, kept: Option<&str>) -> Result<(), TrainError> {
        let directory = self.parts.folder.checkpoints_path();
        let wrap = |source| TrainError::Log { path: directory.clone(), source };
        for entry in std::fs::read_dir(&directory).map_err(wrap)? {
            let name = entry.map_err(wrap)?.file_name().to_string_lossy().into_owned();
            if name.starts_with(BEST) && Some(name.as_str()) != kept {
                self.remove_best_file(Some(name))?;
            }
        }
        Ok(())
    }

    fn best_parameters(&self) -> Result<Option<Vec<HostTensor>>, TrainError> {
        let read = |best: &Best| tensor_file::read_tensors(&self.parts.folder.checkpoints_path(), &best.file);
        let best = self.state.best.as_ref().map(read).transpose();
        best.map_err(|source| TrainError::Best { source: Box::new(source) })
    }

    /// Writes a checkpoint, unless this step has one.
    fn save(&mut self) -> Result<(), TrainError> {
        if self.saved.as_ref().is_some_and(|(step, ..)| *step == self.state.step) {
            return Ok(());
        }
        self.state.policy = self.parts.policy.state();
        self.logs.sync(self.parts.files)?;
        self.state.logs = self.logs.lengths();
        let checkpoint = Checkpoint {
            state: self.state.clone(),
            parameters: self.parts.engine.parameters(),
            optimizer: self.parts.engine.optimizer_state(),
        };
        let path = checkpoint::save(self.parts.files, &self.parts.folder.checkpoints_path(), &checkpoint)?;
        let best = self.state.best.as_ref().map(|best| best.file.name.clone());
        let before = self.saved.replace((self.state.step, path.clone(), best.clone()));
        let named = before.and_then(|(_, _, named)| named);
        if named != best {
            self.remove_best_file(named)?;
        }
        self.observer.on_checkpoint(self.state.step, &path);
        Ok(())
    }

    fn pause(mut self) -> Result<TrainOutcome, TrainError> {
        self.save()?;
        let checkpoint = self.parts.folder.checkpoints_path().join(checkpoint::name(self.state.step));
        Ok(TrainOutcome::Interrupted { step: self.state.step, checkpoint })
    }

    /// Measures the best model on the test pairs and ends the run.
    fn finish(mut self) -> Result<TrainOutcome, TrainError> {
        // From here on the engine may hold the best parameters, so what a resumed run needs is stored first.
        self.save()?;
        if self.stopped_early() && self.state.step < self.total_steps {
            self.observer.on_notice(&Notice::StoppedEarly {
                step: self.state.step,
                evaluations: self.state.evaluations_without_improvement,
            });
        }
        if let Some(best) = self.best_parameters()? {
            self.parts.engine.load_parameters(&best)?;
        }
        let parameters = self.parts.engine.parameters();
        let trained = parameters.iter().map(|tensor| tensor.data.len()).sum();
        self.export(parameters)?;
        let mut test = None;
        if !self.parts.data.test.is_empty() {
            let Some((mut evaluation, predictions)) = self.measure(Part::Test)? else {
                return self.pause();
            };
            evaluation.step = self.state.best.as_ref().map_or(self.state.step, |best| best.step);
            self.record(&evaluation)?;
            let RunParts { folder, files, data, .. } = &self.parts;
            folder.write_test_predictions(*files, &data.labels, &predictions)?;
            test = Some(evaluation);
        }
        let summary = self.summary(test, trained);
        self.parts.folder.write_summary(self.parts.files, &summary)?;
        let path = self.parts.folder.checkpoints_path();
        self.parts.files.remove_directory(&path).map_err(|source| TrainError::Log { path, source })?;
        Ok(TrainOutcome::Finished(Box::new(summary)))
    }

    fn summary(&self, test: Option<Evaluation>, parameters: usize) -> Summary {
        let (state, totals) = (&self.state, self.state.totals);
        Summary {
            method: self.parts.policy.name().to_owned(),
            steps: state.step,
            stopped_early: state.step < self.total_steps,
            best_metric: self.parts.settings.best_metric,
            best_step: state.best.as_ref().map_or(state.step, |best| best.step),
            best_value: state.best.as_ref().map(|best| best.value),
            test,
            layer_steps: state.layer_steps.clone(),
            parameters,
            examples: totals.examples,
            tokens: totals.tokens,
            step_seconds: totals.step_seconds,
            evaluation_seconds: totals.evaluation_seconds,
            examples_per_second: totals.examples as f64 / totals.step_seconds,
            tokens_per_second: totals.tokens as f64 / totals.step_seconds,
            peak_bytes: records::peak_bytes(),
        }
    }
}

/// How the names of the stored best models begin.
const BEST: &str = "best-";

/// The part of the data that is not what a checkpoint was made with, if any.
pub(crate) fn changed_part(before: &DataPrints, now: &DataPrints) -> Option<Part> {
    [
        (Part::Train, before.train != now.train),
        (Part::Validation, before.validation != now.validation),
        (Part::Test, before.test != now.test),
    ]
    .into_iter()
    .find_map(|(part, changed)| changed.then_some(part))
}

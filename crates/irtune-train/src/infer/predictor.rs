//! A trained model, ready to label pairs.

use super::beyond_positions::BeyondPositions;
use super::classifier::{Classifier, Model, Question};
use super::decision::{Decided, Decision, Truth};
use super::error::PredictorError;
use super::evaluate::BatchLimit;
use super::measured::{Answered, Measured};
use super::pair_encoder::PairEncoder;
use super::stream::PredictionStream;
use crate::base_tokens::BaseTokens;
use crate::devices::DeviceOptions;
use crate::folder::RunFolder;
use crate::folder::calibration::read_calibration;
use crate::folder::linear::read_combined;
use crate::folder::merge::MergedModel;
use crate::folder::saved_model::SavedModel;
use crate::prepare::classifying_engine;
use crate::settings::MOST_TOKENS;
use crate::task::Task;
use irtune_data::{COUNTERS, DataError, Encoder, Example, LabelSet, Labels, Pair, PairKind};
use irtune_linear::{LinearModel, Stack};
use irtune_metrics::Bootstrap;
use irtune_model::{
    Base, EngineOptions, Head, HostTensor, ModelError, Precision, ProblemType, Trained, WEIGHTS_HEAD_NAME,
    peft::HEAD_NAME, read_head_input,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// How a trained model is used.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictorOptions {
    /// Where the base is now; where it was in training when not given.
    pub base: Option<PathBuf>,
    /// Of the frozen model's arithmetic.
    pub precision: Precision,
    /// Threads; as many as the machine has cores when not given.
    pub threads: Option<usize>,
    /// Most pairs that go through the model together; at least 1.
    pub batch_size: usize,
    /// Whether the calibration that the run has fitted is applied, if there is one.
    pub calibrated: bool,
    /// A pair whose most probable label is less probable gets no label; every pair gets one when not given.
    pub abstain_below: Option<f64>,
}

impl Default for PredictorOptions {
    fn default() -> Self {
        Self {
            base: None,
            precision: Precision::Auto,
            threads: None,
            batch_size: 32,
            calibrated: true,
            abstain_below: None,
        }
    }
}

/// A trained model, ready to label pairs.
pub struct Predictor {
    pub(super) classifier: Classifier,
    pub(super) encoder: PairEncoder,
    beyond: Option<BeyondPositions>,
}

/// Batches that are read before the first is computed: pairs that revise the same text then share one.
const WINDOW: usize = 16;

/// How far [`Predictor::predict`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A batch at a time: answers don't wait for pairs that are yet to come.
    Batch,
    /// Sixteen batches at a time, which is faster: pairs that begin alike share a batch, and from 64 pairs on a small
    /// model is prepacked ([`irtune_model::Classify::prepack`]).
    Ahead,
}

/// What is opened: a task, and what was trained for it.
struct Opened {
    task: Task,
    max_length: usize,
    seed: u64,
    trained: Trained,
    /// The stored head.
    head: Head,
    tensors: Vec<HostTensor>,
    /// What the model is combined with.
    stack: Option<(LinearModel, Stack)>,
}

impl Opened {
    /// Of a merged model, whose base holds the head too, by itself.
    fn of_merged(folder: &Path, merged: MergedModel, base: &Base) -> Result<Opened, ModelError> {
        let MergedModel { labels, prompt, max_length, problem, ending } = merged;
        let input = read_head_input(&folder.join("config.json"))?;
        let shape = base.weights.tensor(WEIGHTS_HEAD_NAME)?.shape.clone();
        let values = base.weights.values(WEIGHTS_HEAD_NAME)?;
        Ok(Opened {
            task: Task { labels, template: prompt, problem, verbalizer: None, ending },
            max_length,
            seed: 0,
            trained: Trained::Head,
            head: Head { labels: shape.first().copied().unwrap_or(0), input },
            tensors: vec![HostTensor::new(HEAD_NAME, shape, values)],
            stack: None,
        })
    }
}

impl Predictor {
    /// Opens the model that a run has left, or its best so far, or a merged model ([`crate::merge`]), with the
    /// calibration that lies beside it.
    ///
    /// # Errors
    /// When the folder is neither, has no model yet, base and model are not those of the run, or the prompt leaves no
    /// room for a pair.
    pub fn open(folder: &Path, options: &PredictorOptions) -> Result<Predictor, PredictorError> {
        if let Some(merged) = MergedModel::read(folder)? {
            if options.base.is_some() {
                return Err(PredictorError::WholeModel { path: folder.to_owned() });
            }
            let base = Arc::new(Base::open(folder).map_err(ModelError::from)?);
            let stack = read_combined(folder, &merged.labels)?;
            let opened = Opened { stack, ..Opened::of_merged(folder, merged, &base)? };
            return Self::new(folder, base, opened, options);
        }
        let run = RunFolder::open(folder)?;
        if run.is_linear() {
            return Self::linear(&run, options);
        }
        let settings = run.settings()?;
        if !run.model_path(settings.tune).is_dir() {
            return Err(PredictorError::NoModel { path: folder.to_owned() });
        }
        let (task, max_length, seed) = (run.task()?, settings.max_length, settings.seed);
        run.check_edit_head(&settings)?;
        let base = run.sources()?.open_base::<PredictorError>(options.base.as_deref())?;
        let saved = SavedModel::read(&run, &settings, &base)?;
        saved.check_labels(folder, &task.labels)?;
        let (trained, head, tensors) = saved.into_parts();
        let stack = read_combined(folder, &task.labels)?;
        let opened = Opened { task, max_length, seed, trained, head, tensors, stack };
        Self::new(folder, Arc::new(base), opened, options)
    }

    fn new(
        folder: &Path,
        base: Arc<Base>,
        opened: Opened,
        options: &PredictorOptions,
    ) -> Result<Predictor, PredictorError> {
        let Opened { task, max_length, seed, trained, head, tensors, stack } = opened;
        // A language model knows no labels: its words are the run's.
        if task.verbalizer.is_none() && head.labels != task.labels.len() {
            let (path, run) = (folder.to_owned(), task.labels.len());
            return Err(PredictorError::Labels { path, model: head.labels, run });
        }
        let counted = head.input.scaling().map(|scaling| scaling.names.as_slice());
        if counted.is_some_and(|names| names != COUNTERS) {
            return Err(PredictorError::Counters { path: folder.to_owned() });
        }
        let with_change = counted.is_some();
        if task.problem == ProblemType::MultiLabel && options.abstain_below.is_some() {
            return Err(PredictorError::NothingToAbstainFrom);
        }
        let fitted = match options.calibrated {
            true => read_calibration(folder, &task.labels, task.problem)?,
            false => None,
        };
        let decision = fitted.unwrap_or_else(|| Decision::none(task.problem, task.labels.len()));
        if max_length > MOST_TOKENS as usize {
            return Err(PredictorError::MaxLength { path: folder.to_owned(), max_length });
        }
        let limit = BatchLimit::classifying(options.batch_size);
        let engine_options = EngineOptions {
            max_tokens: limit.most_tokens(max_length, limit.examples.saturating_mul(max_length)),
            max_examples: limit.examples,
            training: false,
            memory_bytes: None,
        };
        let prompt = task.prompt();
        let device = DeviceOptions::of(options.precision, options.threads);
        let mut engine = classifying_engine::<PredictorError>(
            device,
            &base,
            &task,
            &prompt,
            (trained, head.input),
            seed,
            engine_options,
        )?;
        engine.load_parameters(&tensors)?;
        let beyond = BeyondPositions::of(max_length, base.config.max_positions);
        let tokens = BaseTokens::new(base.clone());
        let encoder = Encoder::new(tokens, prompt, max_length)?.with_ending(task.ending)?;
        let encoder = if with_change { encoder.with_change() } else { encoder };
        let (linear, stack) = stack.unzip();
        let model = Model::Decoder { engine, stack, base };
        let encoder = PairEncoder { encoder: Some(encoder), linear };
        let classifier = Classifier::new(model, task.labels, limit, decision, options.abstain_below);
        Ok(Predictor { classifier, encoder, beyond })
    }

    /// Opens a run that is a linear model alone.
    fn linear(run: &RunFolder, options: &PredictorOptions) -> Result<Predictor, PredictorError> {
        let path = run.path().to_owned();
        if options.base.is_some() {
            return Err(PredictorError::WholeModel { path });
        }
        let Some(model) = run.linear_model()? else { return Err(PredictorError::NoModel { path }) };
        let labels = model.labels().clone();
        let limit = BatchLimit::classifying(options.batch_size);
        let encoder = PairEncoder { encoder: None, linear: Some(model) };
        let problem = ProblemType::SingleLabel;
        let fitted = match options.calibrated {
            true => read_calibration(run.path(), &labels, problem)?,
            false => None,
        };
        let decision = fitted.unwrap_or_else(|| Decision::none(problem, labels.len()));
        let classifier = Classifier::new(Model::Linear, labels, limit, decision, options.abstain_below);
        Ok(Predictor { classifier, encoder, beyond: None })
    }

    /// The labels, in the order of all probabilities.
    pub fn labels(&self) -> &LabelSet {
        self.classifier.labels()
    }

    /// Whether the model may read more of a pair than its base was made for. Programs tell it once.
    pub fn beyond_positions(&self) -> Option<BeyondPositions> {
        self.beyond
    }

    /// Whether the model gives a pair one label or any number of them.
    pub fn problem(&self) -> ProblemType {
        match self.classifier.decision {
            Decision::One(_) => ProblemType::SingleLabel,
            Decision::Several(_) => ProblemType::MultiLabel,
        }
    }

    /// How labelled pairs are to be read that the model is measured on.
    pub fn labels_to_read(&self) -> Labels {
        match self.problem() {
            ProblemType::SingleLabel => Labels::Required,
            ProblemType::MultiLabel => Labels::Several,
        }
    }

    /// What the model reads of a pair: its tokens, and with an edit head what changed among them; nothing where it is a
    /// linear model.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn example(&self, pair: &Pair) -> Result<Option<Example>, DataError> {
        self.encoder.encoder.as_ref().map(|encoder| encoder.encode(pair, None)).transpose()
    }

    /// Labels pairs in their order, holding no more than `reading` says in memory. The pairs are those of a file or
    /// of rows in memory ([`irtune_data::CorpusSource::pairs`]).
    ///
    /// After an error, of a pair or of the model, the iterator is at its end; what came before it is given out first.
    pub fn predict<I>(&mut self, pairs: I, reading: Reading) -> PredictionStream<'_, I::IntoIter>
    where
        I: IntoIterator<Item = Result<Pair, DataError>>,
    {
        let window = if reading == Reading::Ahead { WINDOW } else { 1 };
        let read = self.classifier.limit.examples * window;
        PredictionStream::new(&mut self.classifier, &self.encoder, read, pairs.into_iter())
    }

    /// Measures the model on labelled pairs, read as [`Predictor::labels_to_read`] says, with bootstrap intervals when asked
    /// for.
    ///
    /// # Errors
    /// When a pair can't be used, has no label that the model knows or was read otherwise, or when there is none.
    pub fn evaluate<I>(&mut self, pairs: I, bootstrap: Option<&Bootstrap>) -> Result<Measured, PredictorError>
    where
        I: IntoIterator<Item = Result<Pair, DataError>>,
    {
        let started = Instant::now();
        let Tested { truth, logits, kinds, shortened } = self.test(pairs)?;
        let (labels, decision) = (self.labels().names(), &self.classifier.decision);
        let none = Decision::none(self.problem(), labels.len());
        let uncalibrated = (*decision != none).then(|| none.decide(&truth, &logits)?.key_figures(labels));
        let decided = decision.decide(&truth, &logits)?;
        let answered = match (&decided, self.classifier.abstain_below) {
            (Decided::One(predictions), Some(below)) => {
                Some(Answered::of(predictions, below, labels, bootstrap))
            }
            _ => None,
        };
        Ok(Measured {
            loss: decision.loss(&truth, &logits),
            metrics: decided.metrics(labels, bootstrap)?,
            kinds: decided.kinds(&kinds),
            probabilities: decided.probability_figures(bootstrap)?,
            uncalibrated: uncalibrated.transpose()?,
            answered: answered.transpose()?,
            shortened,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// What the model says of labelled pairs, in their order.
    ///
    /// # Errors
    /// As [`Predictor::evaluate`].
    pub fn predictions<I>(&mut self, pairs: I) -> Result<Decided, PredictorError>
    where
        I: IntoIterator<Item = Result<Pair, DataError>>,
    {
        Ok(self.outputs(pairs)?.predictions)
    }

    /// The same, and the plain outputs that it is made of.
    ///
    /// # Errors
    /// As [`Predictor::evaluate`].
    pub fn outputs<I>(&mut self, pairs: I) -> Result<Outputs, PredictorError>
    where
        I: IntoIterator<Item = Result<Pair, DataError>>,
    {
        let Tested { truth, logits, .. } = self.test(pairs)?;
        Ok(Outputs { predictions: self.classifier.decision.decide(&truth, &logits)?, logits })
    }

    /// What the model puts out for labelled pairs.
    pub(crate) fn test<I>(&mut self, pairs: I) -> Result<Tested, PredictorError>
    where
        I: IntoIterator<Item = Result<Pair, DataError>>,
    {
        let (truth, labels) = (Truth::none(self.problem()), self.labels_to_read());
        let mut tested = Tested { truth, logits: Vec::new(), kinds: Vec::new(), shortened: 0 };
        let most = WINDOW * self.classifier.limit.examples;
        let mut window: Vec<Question> = Vec::with_capacity(most);
        let mut pairs = pairs.into_iter();
        loop {
            window.clear();
            for pair in pairs.by_ref().take(most) {
                let pair = pair?;
                let encoded = self.encoder.encode(&pair, Some(self.classifier.labels()))?;
                tested.shortened += usize::from(encoded.example.shortened);
                if let Some(target) = &encoded.example.target
                    && !tested.truth.push(target)
                {
                    return Err(PredictorError::ReadOtherwise { place: pair.place, labels });
                }
                tested.kinds.push(encoded.example.kind);
                window.push(Question::new(encoded, pair));
            }
            if window.is_empty() {
                return Ok(tested);
            }
            let questions: Vec<&Question> = window.iter().collect();
            tested.logits.extend(self.classifier.logits(&questions)?);
        }
    }
}

/// What a model says of labelled pairs, and the plain outputs that it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    /// Labels and probabilities, calibrated where the model is.
    pub predictions: Decided,
    /// `[pairs, labels]`, row-major.
    pub logits: Vec<f32>,
}

/// Labelled pairs that went through the model.
pub(crate) struct Tested {
    pub(crate) truth: Truth,
    /// `[pairs, labels]`
    pub(crate) logits: Vec<f32>,
    pub(crate) kinds: Vec<PairKind>,
    shortened: usize,
}

//! Using a trained model: labels for pairs, and how good they are.

use crate::evaluate::{self, BatchLimit};
use crate::merge::MergedModel;
use crate::run_folder::{RunFolder, RunFolderError};
use crate::settings::Tune;
use crate::tokens::BaseTokens;
use crate::train::cores;
use irtune_data::{DataError, Encoder, Example, LabelSet, LabelWords, Pair, Prompt};
use irtune_metrics::{Bootstrap, Metrics, MetricsError, Predictions};
use irtune_model::{
    Base, Engine, EngineOptions, HostTensor, ModelError, Precision, Trained, WEIGHTS_HEAD_NAME, engine,
    peft::HEAD_NAME, read_adapter, read_head, read_tuned_weights,
};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
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
}

impl Default for PredictorOptions {
    fn default() -> Self {
        Self { base: None, precision: Precision::Auto, threads: None, batch_size: 32 }
    }
}

/// Why a trained model can't be used.
#[derive(Debug, thiserror::Error)]
pub enum PredictorError {
    /// The run folder can't be read.
    #[error(transparent)]
    Folder(#[from] RunFolderError),
    /// Base or adapter can't be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A pair can't be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The answers can't be measured.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The run has not got as far as a model.
    #[error("the run in {} has no model yet; continue it with --resume", path.display())]
    NoModel {
        /// The run folder.
        path: PathBuf,
    },
    /// The base is not the one the model was trained on.
    #[error("{} is not the base the run was trained on, which was {}; give that one with --base", found.display(), expected.display())]
    OtherBase {
        /// The base given, or found where the run's base was.
        found: PathBuf,
        /// Where it was in training.
        expected: PathBuf,
    },
    /// The model gives no answer.
    #[error(
        "line {line}: the model's output is not finite; its training diverged, so train anew with a lower learning_rate"
    )]
    NotFinite {
        /// The pair's line.
        line: usize,
    },
    /// A merged model is its own base.
    #[error("{} is a whole model, which needs no base; leave --base out", path.display())]
    WholeModel {
        /// The folder.
        path: PathBuf,
    },
    /// The model's labels are not the run's.
    #[error("{}: the model has {model} labels, but {run} are listed; one of them is damaged", path.display())]
    Labels {
        /// The run folder.
        path: PathBuf,
        /// Labels of the model.
        model: usize,
        /// Labels of the run, or of the merged model's list.
        run: usize,
    },
}

/// A trained model, ready to label pairs.
pub struct Predictor {
    engine: Box<dyn Engine>,
    tokens: BaseTokens,
    labels: LabelSet,
    prompt: Prompt,
    max_length: usize,
    limit: BatchLimit,
}

/// Batches that are read before the first is computed: pairs that revise the same text then share one.
const WINDOW: usize = 16;

/// How far [`Predictor::predict`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A batch at a time: answers don't wait for pairs that are yet to come.
    Batch,
    /// Sixteen batches at a time, which is faster: pairs that begin alike share a batch, and from 64 pairs on a small
    /// model is merged ([`Engine::merge`]).
    Ahead,
}

/// What a model says of a pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The pair's own name, when it has one.
    pub id: Option<String>,
    /// The line it was read from.
    pub line: usize,
    /// The most probable label, the first one of equals.
    pub label: String,
    /// The probability of every label, in the order of [`Predictor::labels`].
    pub probabilities: Vec<f64>,
    /// Whether the pair was too long and was shortened around its change.
    pub shortened: bool,
}

/// How good a model is on labelled pairs.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Measured {
    /// Mean cross-entropy.
    pub loss: f64,
    /// The figures.
    pub metrics: Metrics,
    /// Pairs that were too long and were shortened around their change.
    pub shortened: usize,
    /// Time it took, reading included.
    pub seconds: f64,
}

impl Predictor {
    /// Opens the model that a run has left, or its best so far, or a merged model ([`crate::merge`]).
    ///
    /// # Errors
    /// When the folder is neither, has no model yet, or base and model are not those of the run.
    pub fn open(run: &Path, options: &PredictorOptions) -> Result<Predictor, PredictorError> {
        if let Some(merged) = MergedModel::read(run)? {
            return Self::open_merged(run, merged, options);
        }
        let folder = RunFolder::open(run)?;
        let settings = folder.settings()?;
        let model = folder.model_path(settings.tune);
        if !model.is_dir() {
            return Err(PredictorError::NoModel { path: run.to_owned() });
        }
        let (sources, labels) = (folder.sources()?, folder.labels()?);
        let words = folder.words()?;
        let path = options.base.as_deref().unwrap_or(&sources.base.path);
        let base = Arc::new(Base::open(path)?);
        // Only what the base is matters here, not where it lies.
        if (base.source.bytes, &base.source.fingerprint) != (sources.base.bytes, &sources.base.fingerprint) {
            return Err(PredictorError::OtherBase { found: path.to_owned(), expected: sources.base.path });
        }
        let (trained, label_count, tensors) = match settings.tune {
            Tune::Adapters if settings.head_only => {
                let head = read_head(&model, &base.config).map_err(ModelError::from)?;
                (Trained::Head, head.label_count, head.tensors)
            }
            Tune::Adapters => {
                let adapter = read_adapter(&model, &base.config).map_err(ModelError::from)?;
                (Trained::Adapter(adapter.adapter), adapter.label_count, adapter.tensors)
            }
            Tune::Weights => {
                let tuned = read_tuned_weights(&model, &base.config).map_err(ModelError::from)?;
                (Trained::Weights { lowest: 0 }, tuned.label_count, tuned.tensors)
            }
        };
        // A language model knows no labels: its words are the run's.
        if words.is_none() && label_count != labels.len() {
            let (path, run) = (run.to_owned(), labels.len());
            return Err(PredictorError::Labels { path, model: label_count, run });
        }
        let max_length = settings.max_length;
        let limit = BatchLimit::classifying(options.batch_size);
        let engine_options = engine_options(options, limit, max_length);
        let mut engine = engine(base.clone(), trained, labels.len(), settings.seed, engine_options)?;
        let tokens = BaseTokens::new(base);
        let prompt = folder.prompt()?.prompt(words.as_ref().map_or(&labels, LabelWords::as_labels));
        if let Some(words) = &words {
            engine.classify_by_words(words.tokens(&tokens, &prompt)?)?;
        }
        engine.load_parameters(&tensors)?;
        Ok(Predictor { engine, tokens, labels, prompt, max_length, limit })
    }

    fn open_merged(
        folder: &Path,
        merged: MergedModel,
        options: &PredictorOptions,
    ) -> Result<Predictor, PredictorError> {
        if options.base.is_some() {
            return Err(PredictorError::WholeModel { path: folder.to_owned() });
        }
        let MergedModel { labels, prompt, max_length } = merged;
        let base = Arc::new(Base::open(folder)?);
        let head = base.weights.tensor(WEIGHTS_HEAD_NAME).map_err(ModelError::from)?;
        let model = head.shape.first().copied().unwrap_or(0);
        if model != labels.len() {
            return Err(PredictorError::Labels { path: folder.to_owned(), model, run: labels.len() });
        }
        let values = base.weights.values(WEIGHTS_HEAD_NAME).map_err(ModelError::from)?;
        let head = HostTensor::new(HEAD_NAME, head.shape.clone(), values);
        let limit = BatchLimit::classifying(options.batch_size);
        let engine_options = engine_options(options, limit, max_length);
        let mut engine = engine(base.clone(), Trained::Head, model, 0, engine_options)?;
        engine.load_parameters(&[head])?;
        let prompt = prompt.prompt(&labels);
        Ok(Predictor { engine, tokens: BaseTokens::new(base), labels, prompt, max_length, limit })
    }

    /// The labels, in the order of all probabilities.
    pub fn labels(&self) -> &LabelSet {
        &self.labels
    }

    /// Labels pairs in their order, holding no more than `reading` says in memory.
    ///
    /// After an error, of a pair or of the model, the iterator is at its end; what came before it is given out first.
    ///
    /// # Errors
    /// When the prompt leaves no room for a pair.
    pub fn predict<I>(
        &mut self,
        pairs: I,
        reading: Reading,
    ) -> Result<PredictionStream<'_, I::IntoIter>, PredictorError>
    where
        I: IntoIterator<Item = Result<Pair, DataError>>,
    {
        let encoder = Encoder::new(&self.tokens, self.prompt.clone(), self.max_length)?;
        Ok(PredictionStream {
            engine: self.engine.as_mut(),
            encoder,
            labels: &self.labels,
            limit: self.limit,
            read: self.limit.examples * if reading == Reading::Ahead { WINDOW } else { 1 },
            pairs: pairs.into_iter(),
            ready: VecDeque::new(),
            error: None,
            ended: false,
        })
    }

    /// Measures the model on labelled pairs, with bootstrap intervals when asked for.
    ///
    /// # Errors
    /// When a pair can't be used or has no label that the model knows, or when there is none.
    pub fn evaluate<I>(&mut self, pairs: I, bootstrap: Option<&Bootstrap>) -> Result<Measured, PredictorError>
    where
        I: IntoIterator<Item = Result<Pair, DataError>>,
    {
        let started = Instant::now();
        let labels = self.labels.clone();
        let Answers { targets, logits, shortened } = self.answers(pairs)?;
        let predictions = predictions(&targets, &logits, labels.len())?;
        Ok(Measured {
            loss: evaluate::mean_loss(&logits, &targets, labels.len()),
            metrics: Metrics::of(&predictions, labels.names(), bootstrap)?,
            shortened,
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    /// What the model says of labelled pairs, in their order.
    ///
    /// # Errors
    /// As [`Predictor::evaluate`].
    pub fn predictions<I>(&mut self, pairs: I) -> Result<Predictions, PredictorError>
    where
        I: IntoIterator<Item = Result<Pair, DataError>>,
    {
        let Answers { targets, logits, .. } = self.answers(pairs)?;
        Ok(predictions(&targets, &logits, self.labels.len())?)
    }

    fn answers<I>(&mut self, pairs: I) -> Result<Answers, PredictorError>
    where
        I: IntoIterator<Item = Result<Pair, DataError>>,
    {
        let mut answers = Answers::default();
        let encoder = Encoder::new(&self.tokens, self.prompt.clone(), self.max_length)?;
        let mut window: Vec<Example> = Vec::with_capacity(WINDOW * self.limit.examples);
        let mut pairs = pairs.into_iter();
        loop {
            window.clear();
            for pair in pairs.by_ref().take(WINDOW * self.limit.examples) {
                let example = encoder.encode(&pair?, Some(&self.labels))?;
                answers.shortened += usize::from(example.shortened);
                answers.targets.extend(example.label);
                window.push(example);
            }
            if window.is_empty() {
                return Ok(answers);
            }
            answers.logits.extend(window_logits(self.engine.as_mut(), &window, self.limit)?);
        }
    }
}

/// Logits of labelled pairs, `[pairs, labels]`.
#[derive(Default)]
struct Answers {
    targets: Vec<u32>,
    logits: Vec<f32>,
    shortened: usize,
}

fn predictions(targets: &[u32], logits: &[f32], labels: usize) -> Result<Predictions, MetricsError> {
    let probabilities: Vec<f64> = logits.chunks_exact(labels).flat_map(evaluate::softmax).collect();
    Predictions::new(targets, &probabilities, labels)
}

fn engine_options(options: &PredictorOptions, limit: BatchLimit, max_length: usize) -> EngineOptions {
    EngineOptions {
        precision: options.precision,
        threads: options.threads.unwrap_or_else(cores),
        max_tokens: limit.most_tokens(max_length, limit.examples * max_length),
        max_examples: limit.examples,
        training: false,
        memory_bytes: None,
    }
}

/// Logits of a window of examples, `[examples, labels]`.
fn window_logits(
    engine: &mut dyn Engine,
    examples: &[impl AsRef<[u32]>],
    limit: BatchLimit,
) -> Result<Vec<f32>, ModelError> {
    let logits = evaluate::logits(engine, examples, limit, &AtomicBool::new(false))?;
    Ok(logits.expect("nobody interrupts"))
}

/// Predictions in the order of their pairs, made as they are asked for.
pub struct PredictionStream<'a, I> {
    engine: &'a mut dyn Engine,
    encoder: Encoder<'a>,
    labels: &'a LabelSet,
    limit: BatchLimit,
    /// Pairs that are read at a time.
    read: usize,
    pairs: I,
    ready: VecDeque<Prediction>,
    error: Option<PredictorError>,
    ended: bool,
}

impl<I: Iterator<Item = Result<Pair, DataError>>> PredictionStream<'_, I> {
    /// Reads on and predicts; a pair that can't be read ends it, and is told of after the predictions before it.
    fn fill(&mut self) -> Result<(), PredictorError> {
        let mut pairs = Vec::with_capacity(self.read);
        while pairs.len() < self.read {
            let encoded = match self.pairs.next() {
                Some(pair) => pair.and_then(|pair| Ok((self.encoder.encode(&pair, None)?, pair))),
                None => {
                    self.ended = true;
                    break;
                }
            };
            match encoded {
                Ok(encoded) => pairs.push(encoded),
                Err(error) => {
                    self.error = Some(error.into());
                    break;
                }
            }
        }
        if pairs.is_empty() {
            return Ok(());
        }
        let tokens: Vec<&[u32]> = pairs.iter().map(|(example, _)| example.tokens.as_slice()).collect();
        let logits = window_logits(self.engine, &tokens, self.limit)?;
        for ((example, pair), row) in pairs.into_iter().zip(logits.chunks_exact(self.labels.len())) {
            if row.iter().any(|logit| !logit.is_finite()) {
                return Err(PredictorError::NotFinite { line: pair.line });
            }
            let best =
                (1..row.len()).fold(0, |best, index| if row[index] > row[best] { index } else { best });
            self.ready.push_back(Prediction {
                id: pair.id,
                line: pair.line,
                label: self.labels.names()[best].clone(),
                probabilities: evaluate::softmax(row),
                shortened: example.shortened,
            });
        }
        Ok(())
    }
}

impl<I: Iterator<Item = Result<Pair, DataError>>> Iterator for PredictionStream<'_, I> {
    type Item = Result<Prediction, PredictorError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty() && self.error.is_none() && !self.ended {
            self.error = self.fill().err().or(self.error.take());
        }
        if let Some(prediction) = self.ready.pop_front() {
            return Some(Ok(prediction));
        }
        let error = self.error.take()?;
        self.ended = true;
        Some(Err(error))
    }
}

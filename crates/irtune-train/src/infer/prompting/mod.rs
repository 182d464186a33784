//! Classification by the language model itself, without training: how likely it finds each label's words after a prompt
//! that may show some labelled pairs first.
//!
//! # Source
//! Likelihood of a label's words: Brown et al., "Language Models are Few-Shot Learners", 2020. Subtracting what the
//! model says of a neutral pair: Zhao et al., "Calibrate Before Use", 2021, with one neutral pair and by logarithms.

use super::evaluate::{self, BatchLimit};
use super::kinds::KindFigures;
use super::measured::Measured;
use super::prediction::{Answer, Prediction, Probabilities};
use crate::base_tokens::BaseTokens;
use crate::devices::DeviceOptions;
use crate::prepare::classifying_engine;
use crate::run::data::RunData;
use crate::task::{Task, verbalizer};
use irtune_data::{
    Columns, Corpus, CorpusSource, DataError, Encode, Encoder, Ending, Example, LabelSet, Labels, Pair,
    PairKind, Prompt, PromptChoice, Shot, Verbalizer, draw_shots,
};
use irtune_metrics::{Bootstrap, Metrics, Predictions, ProbabilityFigures};
use irtune_model::{Base, EngineOptions, HeadInput, ModelError, Precision, ProblemType, Trained};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

mod chat;
mod error;
mod normalise;

pub use chat::{Chat, UnknownChat};
pub use error::PromptError;
pub use normalise::{Normalise, UnknownNormalise};

/// What to ask, of what model, on what pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptRequest {
    /// The base model: a folder or a GGUF file.
    pub base: PathBuf,
    /// The labelled pairs that are classified.
    pub test: CorpusSource,
    /// Labelled pairs that shots are drawn from; they also say which labels there are.
    pub train: Option<CorpusSource>,
    /// How the files' columns are read.
    pub columns: Columns,
    /// Pairs of every label that the prompt shows with their words.
    pub shots: usize,
    /// Of the draw of the shots.
    pub seed: u64,
    /// `instruction`, or the path of a template file that ends with a cue; `chat:` in front puts it into a chat.
    pub prompt: String,
    /// The system turn of a chat.
    pub system: Option<String>,
    /// JSON file of the labels' words; their names when not given.
    pub label_words: Option<PathBuf>,
    /// What is made of the words' likelihoods.
    pub normalise: Normalise,
    /// Whether the prompt is written as a chat.
    pub chat: Chat,
    /// Longest pair with its instruction in tokens, shots not counted; also of each shot.
    pub max_length: usize,
    /// Pairs that go through the model together; at least 1.
    pub batch_size: usize,
    /// Of the model's arithmetic.
    pub precision: Precision,
    /// Threads; as many as the machine has cores when not given.
    pub threads: Option<usize>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompted {
    /// The labels, in the order of all probabilities.
    pub labels: LabelSet,
    /// The words of each.
    pub words: Verbalizer,
    /// Whether the prompt was written as a chat.
    pub chat: bool,
    /// Tokens of the longest prompt, shots included.
    pub longest: usize,
    /// Figures, by the probabilities that the scores make.
    pub measured: Measured,
    /// Rows of the files that have no label and were left out.
    pub unlabelled: usize,
    /// The figures of whoever always guesses the label that is most frequent: in the training pairs, or without them in the
    /// test pairs.
    pub majority: Metrics,
    /// That label.
    pub majority_label: String,
    /// One a pair, in order.
    pub predictions: Vec<Answer>,
}

/// The pair that says nothing: what a model says of it is its liking for the words themselves.
const NEUTRAL: &str = "N/A";

/// Classifies the test pairs; `on_batch` learns how many of how many are done. Nothing when interrupted.
///
/// # Errors
/// Whatever is wrong with base, data, words or template; when a prompt is longer than the model's context; when the model
/// gives no finite answer.
pub fn prompt(
    request: &PromptRequest,
    on_batch: &mut dyn FnMut(usize, usize),
    interrupt: &AtomicBool,
) -> Result<Option<Prompted>, PromptError> {
    let started = Instant::now();
    let choice = PromptChoice::named_or_file(&request.prompt)?;
    let template = choice.template;
    let mut unlabelled = 0;
    let mut read = |source| {
        let corpus = Corpus::read(source, &request.columns, Labels::Required)?;
        unlabelled += corpus.left_out.unlabelled;
        Ok::<_, PromptError>(corpus.pairs)
    };
    let pairs = read(&request.test)?;
    let train = request.train.as_ref().map(&mut read).transpose()?;
    let labels = LabelSet::discover(train.as_ref().unwrap_or(&pairs))?;
    let words = verbalizer(request.label_words.as_deref(), &labels)?;
    let base = Arc::new(Base::open(&request.base).map_err(ModelError::from)?);
    let chat = choice.chat || request.chat.decide(&base);
    if let (false, Some(system)) = (chat, &request.system) {
        return Err(PromptError::SystemWithoutChat { system: system.clone() });
    }
    let tokens = BaseTokens::new(base.clone());
    let plain = template.prompt(words.as_labels());
    let shots = match (&train, request.shots) {
        (_, 0) => Vec::new(),
        (Some(train), count) => {
            let encoder = Encoder::new(&tokens, plain.clone(), request.max_length)?;
            let drawn = draw_shots(train, &pairs, &labels, count, request.seed)?;
            let shot = |pair: usize| shot(&encoder, &train[pair], &labels, &words);
            drawn.into_iter().map(shot).collect::<Result<_, _>>()?
        }
        (None, _) => return Err(PromptError::NoTrain),
    };
    let whole = match chat {
        true => template.in_chat(&tokens, request.system.as_deref(), &shots)?.prompt(words.as_labels()),
        false => plain.with_shots(&shots)?,
    };
    let word_tokens = words.label_tokens(&tokens, &whole)?;
    let examples = encode(&tokens, &plain, &whole, request.max_length, &pairs, &labels)?;
    let most_words = word_tokens.iter().map(Vec::len).max().unwrap_or(0);
    let longest = examples.iter().map(|example| example.tokens.len()).max().unwrap_or(0);
    if longest + most_words > base.config.max_positions {
        let context = base.config.max_positions;
        return Err(PromptError::Context { longest: longest + most_words, context, shots: shots.len() });
    }

    let batch_size = request.batch_size.max(1);
    let limit = BatchLimit { examples: batch_size, tokens: 0 };
    let counts: Vec<usize> = word_tokens.iter().map(Vec::len).collect();
    let shortened = examples.iter().filter(|example| example.shortened).count();
    let kinds: Vec<PairKind> = examples.iter().map(|example| example.kind).collect();
    let targets: Vec<u32> = examples.iter().filter_map(|example| example.target.as_ref()?.class()).collect();
    let data = RunData { labels: labels.clone(), train: examples, validation: Vec::new(), test: Vec::new() };
    let options = EngineOptions {
        max_tokens: data.largest_batch(batch_size) + batch_size * counts.iter().sum::<usize>(),
        max_examples: batch_size * counts.iter().sum::<usize>(),
        training: false,
        memory_bytes: None,
    };
    let device = DeviceOptions::of(request.precision, request.threads);
    let problem = ProblemType::SingleLabel;
    let verbalizer = Some(words.clone());
    let task = Task { labels: labels.clone(), template, problem, verbalizer, ending: Ending::default() };
    let mut engine = classifying_engine::<PromptError>(
        device,
        &base,
        &task,
        &whole,
        (Trained::Head, HeadInput::Pooled),
        request.seed,
        options,
    )?;
    let prior = match request.normalise {
        Normalise::Prior => {
            let neutral = whole.render(NEUTRAL, NEUTRAL);
            let begin = tokens.begin_token().filter(|_| !whole.begins()).into_iter();
            let ids = tokens.encode(&neutral).map_err(|source| DataError::Prompt { source })?;
            let neutral: Vec<u32> = begin.chain(ids).collect();
            evaluate::logits(engine.as_mut(), &[neutral], limit, interrupt)?
        }
        _ => Some(vec![0.0; labels.len()]),
    };
    let total = data.train.len();
    let mut told = |done| on_batch(done, total);
    let logits = evaluate::logits_told(engine.as_mut(), &data.train, limit, interrupt, &mut told)?;
    let (Some(prior), Some(mut scores)) = (prior, logits) else { return Ok(None) };
    for (pair, row) in pairs.iter().zip(scores.chunks_exact_mut(labels.len())) {
        request.normalise.apply(row, &counts, &prior);
        if row.iter().any(|score| !score.is_finite()) {
            return Err(PromptError::NotFinite { place: pair.place.clone() });
        }
    }
    let known: Vec<Option<u32>> = match &train {
        Some(train) => train.iter().map(|pair| labels.class(pair)).collect::<Result<_, _>>()?,
        None => targets.iter().copied().map(Some).collect(),
    };
    let majority = most_frequent(known.into_iter().flatten(), labels.len());
    let probabilities: Vec<f64> = scores.chunks_exact(labels.len()).flat_map(evaluate::softmax).collect();
    let predictions = Predictions::new(&targets, &probabilities, labels.len())?;
    let guesses: Vec<f64> = targets
        .iter()
        .flat_map(|_| (0..labels.len()).map(|label| f64::from(u8::from(label == majority))))
        .collect();
    let metrics = Metrics::of(&predictions, labels.names(), Some(&Bootstrap::default()))?;
    let names: Arc<[String]> = labels.names().into();
    let answers = pairs.into_iter().zip(&data.train).enumerate().map(|(index, (pair, example))| {
        let own = probabilities[index * names.len()..][..names.len()].to_vec();
        let prediction = Prediction::new(pair.id, Probabilities::new(names.clone(), own), None);
        let (shortened, tokens) = (example.shortened, example.tokens.len());
        Answer { prediction, place: pair.place, shortened, tokens }
    });
    Ok(Some(Prompted {
        words,
        chat,
        longest,
        measured: Measured {
            loss: evaluate::mean_loss(&scores, &targets, labels.len()),
            metrics,
            kinds: KindFigures::of(&predictions, &kinds),
            probabilities: ProbabilityFigures::of(&predictions, Some(&Bootstrap::default()))?,
            uncalibrated: None,
            answered: None,
            shortened,
            seconds: started.elapsed().as_secs_f64(),
        },
        majority: Metrics::new(&targets, &guesses, labels.names())?,
        majority_label: labels.names()[majority].clone(),
        unlabelled,
        predictions: answers.collect(),
        labels,
    }))
}

/// A training pair as it is shown, as short as an example.
fn shot(
    encoder: &Encoder<&BaseTokens>,
    pair: &Pair,
    labels: &LabelSet,
    words: &Verbalizer,
) -> Result<Shot, PromptError> {
    let class = labels.class(pair)?.unwrap_or_default();
    Ok(Shot { passages: encoder.passages(pair)?, words: words.all()[class as usize].clone() })
}

/// The pairs after the shots; what shots and markers add doesn't count against a pair's length.
fn encode(
    tokens: &BaseTokens,
    plain: &Prompt,
    whole: &Prompt,
    max_length: usize,
    pairs: &[Pair],
    labels: &LabelSet,
) -> Result<Vec<Example>, PromptError> {
    let own = Encoder::new(tokens, plain.clone(), max_length)?.fixed_length();
    let all = Encoder::new(tokens, whole.clone(), usize::MAX)?.fixed_length();
    let encoder = Encoder::new(tokens, whole.clone(), max_length + all.saturating_sub(own))?;
    Ok(encoder.encode_all(pairs, Some(labels))?.examples)
}

/// The label that occurs most often, the first one of equals.
fn most_frequent(targets: impl Iterator<Item = u32>, labels: usize) -> usize {
    let mut counts = vec![0usize; labels];
    targets.for_each(|target| counts[target as usize] += 1);
    (1..labels).fold(0, |best, label| if counts[label] > counts[best] { label } else { best })
}

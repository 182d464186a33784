//! From files to a trained model, in one call.

use crate::checkpoint;
use crate::data::RunData;
use crate::error::TrainError;
use crate::head_only::HeadOnly;
use crate::observer::{Notice, Observer, Part};
use crate::records::{Environment, Sources};
use crate::run::{self, RunParts, TrainOutcome};
use crate::run_folder::{RunContents, RunFolder};
use crate::settings::{MemoryLimit, Objective, TrainSettings, Tune};
use crate::tokens::BaseTokens;
use irtune_data::{Columns, Corpus, Encoder, Example, LabelSet, LabelWords, Labels, Template};
use irtune_files::Disk;
use irtune_model::{
    Base, Engine, EngineOptions, HostTensor, LossOptions, ModelError, Trained, engine, write_adapter,
    write_head, write_tuned_weights,
};
use irtune_select::LayerPolicy;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What to train, on what, and where to.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainRequest {
    /// The base model: a folder or a GGUF file.
    pub base: PathBuf,
    /// What others find the base by, written into the adapter: a hub name or a path.
    pub base_name: String,
    /// Training pairs.
    pub train: PathBuf,
    /// Validation pairs; when missing, some of the training pairs are held out.
    pub validation: Option<PathBuf>,
    /// Test pairs, on which the kept model is measured at the end.
    pub test: Option<PathBuf>,
    /// How the files' columns are read.
    pub columns: Columns,
    /// The run folder: not there yet, or empty.
    pub out: PathBuf,
    /// How to train.
    pub settings: TrainSettings,
}

/// Trains a model into a new run folder.
///
/// The folder is made after base and data were read without an error, so that a request that can't be met leaves
/// nothing behind.
///
/// # Errors
/// All problems of the settings at once, before anything is read; then whatever is wrong with base or data; then what
/// goes wrong in the run.
pub fn train(
    request: &TrainRequest,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<TrainOutcome, TrainError> {
    let problems = request.settings.problems();
    if !problems.is_empty() {
        return Err(TrainError::Settings { problems });
    }
    RunFolder::check_free(&request.out)?;
    if let (Some(fold), Some(test)) = (request.settings.fold, &request.test) {
        return Err(TrainError::FoldAndTest { fold, test: test.clone() });
    }
    let mut settings = request.settings.clone();
    settings.class_weights = settings.class_weights.loaded()?;
    let prompt = match Template::named(&settings.prompt) {
        Some(template) => template,
        None => Template::from_file(Path::new(&settings.prompt))?,
    };
    let paths = DataPaths {
        train: absolute(&request.train)?,
        validation: request.validation.as_deref().map(absolute).transpose()?,
        test: request.test.as_deref().map(absolute).transpose()?,
    };
    let unread = settings.unread();
    if !unread.is_empty() {
        observer.on_notice(&Notice::Unread { names: unread });
    }
    if settings.precision.is_slow_here() {
        observer.on_notice(&Notice::SlowPrecision { precision: settings.precision.to_string() });
    }
    let corpora = Corpora::read(&paths, &request.columns, &settings, observer)?;
    let labels = corpora.labels.clone();
    let words = match (settings.objective, &settings.label_words) {
        (Objective::Head, _) => None,
        (Objective::Words, None) => Some(LabelWords::of_names(&labels)?),
        (Objective::Words, Some(path)) => Some(LabelWords::from_file(Path::new(path), &labels)?),
    };
    let base = Arc::new(Base::open(&absolute(&request.base)?)?);
    let shown = words.as_ref().map_or(&labels, LabelWords::as_labels).clone();
    let data = corpora.encode(&base, labels, &shown, &prompt, settings.max_length, observer)?;

    let mut engine = make_engine(&base, &settings, &data)?;
    classify_by_words(engine.as_mut(), &base, words.as_ref(), &prompt)?;
    let mut policy = make_policy(&settings, base.config.layers)?;
    settings.complete();
    settings.threads = Some(engine.threads());
    settings.precision = engine.precision().parse().unwrap_or(settings.precision);
    let DataPaths { train, validation, test } = paths;
    let contents = RunContents {
        environment: environment(&settings, engine.as_ref()),
        settings,
        sources: Sources {
            base: base.source.clone(),
            base_name: request.base_name.clone(),
            train,
            validation,
            test,
            columns: request.columns.clone(),
        },
        labels: data.labels.clone(),
        prompt,
        words,
    };
    let folder = RunFolder::create(&Disk, &absolute(&request.out)?, &contents)?;
    let _lock = folder.lock()?;
    let parts = RunParts {
        settings: &contents.settings,
        engine: engine.as_mut(),
        policy: policy.as_mut(),
        data: &data,
        folder: &folder,
        files: &Disk,
        export: &exporter(&base, &contents.settings, &data.labels, &contents.sources.base_name),
    };
    run::run(parts, observer, interrupt, None)
}

/// Continues an interrupted or killed run, bitwise as if it had never stopped.
///
/// A run that was killed before its first checkpoint begins anew in its folder.
///
/// # Errors
/// When the folder is no run or a finished one, when base or data are not what they were, when the newest checkpoint
/// is damaged, or when something goes wrong in the run.
pub fn resume(
    directory: &Path,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<TrainOutcome, TrainError> {
    let folder = RunFolder::open(directory)?;
    let _lock = folder.lock()?;
    if folder.summary()?.is_some() {
        return Err(TrainError::Finished { path: directory.to_owned() });
    }
    let (settings, sources) = (folder.settings()?, folder.sources()?);
    let problems = settings.problems();
    if !problems.is_empty() {
        return Err(TrainError::Settings { problems });
    }
    let (labels, prompt, words) = (folder.labels()?, folder.prompt()?, folder.words()?);
    let newest = checkpoint::list(&folder.checkpoints_path())?.into_iter().next();
    let checkpoint = newest.map(|path| checkpoint::load(&path)).transpose()?;

    let paths = DataPaths {
        train: sources.train.clone(),
        validation: sources.validation.clone(),
        test: sources.test.clone(),
    };
    let corpora = Corpora::read(&paths, &sources.columns, &settings, observer)?;
    let base = Arc::new(Base::open(&sources.base.path)?);
    if base.source != sources.base {
        return Err(TrainError::BaseChanged { path: sources.base.path });
    }
    let shown = words.as_ref().map_or(&labels, LabelWords::as_labels).clone();
    let data = corpora.encode(&base, labels, &shown, &prompt, settings.max_length, observer)?;
    if let Some(part) =
        checkpoint.as_ref().and_then(|saved| run::changed_part(&saved.state.data, &data.prints()))
    {
        let path = match part {
            Part::Train => None,
            Part::Validation => paths.validation,
            Part::Test => paths.test,
        };
        return Err(TrainError::DataChanged { part, path: path.unwrap_or(paths.train) });
    }
    let mut engine = make_engine(&base, &settings, &data)?;
    classify_by_words(engine.as_mut(), &base, words.as_ref(), &prompt)?;
    let mut policy = make_policy(&settings, base.config.layers)?;
    let parts = RunParts {
        settings: &settings,
        engine: engine.as_mut(),
        policy: policy.as_mut(),
        data: &data,
        folder: &folder,
        files: &Disk,
        export: &exporter(&base, &settings, &data.labels, &sources.base_name),
    };
    run::run(parts, observer, interrupt, checkpoint)
}

pub(crate) fn absolute(path: &Path) -> Result<PathBuf, TrainError> {
    std::path::absolute(path).map_err(|source: io::Error| TrainError::Log { path: path.to_owned(), source })
}

struct DataPaths {
    train: PathBuf,
    validation: Option<PathBuf>,
    test: Option<PathBuf>,
}

/// The pairs of the three parts.
struct Corpora {
    /// The labels of the training pairs, those held out for validation included.
    labels: LabelSet,
    train: Corpus,
    validation: Option<Corpus>,
    test: Option<Corpus>,
}

impl Corpora {
    fn read(
        paths: &DataPaths,
        columns: &Columns,
        settings: &TrainSettings,
        observer: &mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let mut read = |path: &Path, part| {
            let corpus = Corpus::read(path, columns, Labels::Required)?;
            if corpus.dropped > 0 {
                observer.on_notice(&Notice::Dropped { part, rows: corpus.dropped });
            }
            Ok::<_, TrainError>(corpus)
        };
        let mut train = read(&paths.train, Part::Train)?;
        let labels = LabelSet::discover(&train.pairs)?;
        let mut validation =
            paths.validation.as_deref().map(|path| read(path, Part::Validation)).transpose()?;
        let mut test = paths.test.as_deref().map(|path| read(path, Part::Test)).transpose()?;
        if let Some(fold) = settings.fold {
            let (rest, part) = train.fold(fold.part(), fold.parts())?;
            let (train_pairs, test_pairs) = (rest.pairs.len(), part.pairs.len());
            observer.on_notice(&Notice::Fold { fold, train: train_pairs, test: test_pairs });
            (train, test) = (rest, Some(part));
        }
        if validation.is_none() && settings.validation_fraction > 0.0 {
            let (rest, held_out) = train.split(settings.validation_fraction, settings.seed)?;
            let (train_pairs, validation_pairs) = (rest.pairs.len(), held_out.pairs.len());
            observer.on_notice(&Notice::Split { train: train_pairs, validation: validation_pairs });
            (train, validation) = (rest, Some(held_out));
        }
        if let Some(train_size) = settings.train_size {
            let of = train.pairs.len();
            train = train.subset(train_size, settings.seed)?;
            observer.on_notice(&Notice::Subset { train_size, of });
        }
        Ok(Self { labels, train, validation, test })
    }

    fn encode(
        &self,
        base: &Arc<Base>,
        labels: LabelSet,
        shown: &LabelSet,
        prompt: &Template,
        max_length: usize,
        observer: &mut dyn Observer,
    ) -> Result<RunData, TrainError> {
        let tokens = BaseTokens::new(base.clone());
        let encoder = Encoder::new(&tokens, prompt.prompt(shown), max_length)?;
        let mut encode = |corpus: Option<&Corpus>, part| {
            let Some(corpus) = corpus else { return Ok(Vec::new()) };
            let encoded = encoder.encode_all(&corpus.pairs, Some(&labels))?;
            if encoded.shortened > 0 {
                observer.on_notice(&Notice::Shortened {
                    part,
                    examples: encoded.shortened,
                    of: encoded.examples.len(),
                    max_length,
                });
            }
            Ok::<Vec<Example>, TrainError>(encoded.examples)
        };
        let train = encode(Some(&self.train), Part::Train)?;
        let validation = encode(self.validation.as_ref(), Part::Validation)?;
        let test = encode(self.test.as_ref(), Part::Test)?;
        Ok(RunData { labels, train, validation, test })
    }
}

/// The engine that settings ask for, its buffers sized for the largest batch of the data, its loss set.
///
/// # Errors
/// When the base lacks a tensor, the settings are unusable, or class weights don't fit the data.
pub fn make_engine(
    base: &Arc<Base>,
    settings: &TrainSettings,
    data: &RunData,
) -> Result<Box<dyn Engine>, TrainError> {
    let (longest, largest) = (data.largest_batch(1), data.largest_batch(settings.batch_size));
    let options = EngineOptions {
        precision: settings.precision,
        threads: settings.threads.unwrap_or_else(cores),
        max_tokens: settings.batch_limit().most_tokens(longest, largest),
        max_examples: settings.batch_size,
        training: true,
        memory_bytes: settings.memory.map(MemoryLimit::bytes),
    };
    let trained = match settings.tune {
        Tune::Adapters => settings.adapter_config().into(),
        Tune::Weights => Trained::Weights { lowest: make_policy(settings, base.config.layers)?.lowest() },
    };
    let mut engine = engine(base.clone(), trained, data.labels.len(), settings.seed, options)?;
    let classes = data.train.iter().filter_map(|example| example.label);
    let class_weights = settings.class_weights.resolve(&data.labels, classes)?;
    engine.set_loss(LossOptions { class_weights, label_smoothing: settings.label_smoothing })?;
    Ok(engine)
}

/// Makes the language-model head tell the labels, if there are words for them.
pub(crate) fn classify_by_words(
    engine: &mut dyn Engine,
    base: &Arc<Base>,
    words: Option<&LabelWords>,
    prompt: &Template,
) -> Result<(), TrainError> {
    if let Some(words) = words {
        let tokens = BaseTokens::new(base.clone());
        engine.classify_by_words(words.tokens(&tokens, &prompt.prompt(words.as_labels()))?)?;
    }
    Ok(())
}

/// The policy that the settings name; one that chooses no layer when only the head trains.
///
/// # Errors
/// When there is no such method, not for so many layers, or hidden states are to be kept and nothing lies below it.
pub fn make_policy(settings: &TrainSettings, layers: usize) -> Result<Box<dyn LayerPolicy>, TrainError> {
    if settings.head_only {
        return Ok(Box::new(HeadOnly::new(layers)?));
    }
    let policy = irtune_select::method(&settings.method)?.build(layers, settings.method_options.as_map())?;
    if settings.cache_states && policy.lowest() == 0 && !policy.lowest_may_rise() {
        return Err(TrainError::NothingToCache { method: policy.name() });
    }
    Ok(policy)
}

fn exporter<'a>(
    base: &'a Base,
    settings: &TrainSettings,
    labels: &'a LabelSet,
    base_name: &'a str,
) -> impl Fn(&Path, &[HostTensor]) -> Result<(), ModelError> + use<'a> {
    let (adapter, tune) = (settings.adapter_config().map(|adapter| adapter.exported()), settings.tune);
    // A language model knows no labels.
    let labels = match settings.objective {
        Objective::Head => labels.names(),
        Objective::Words => &[],
    };
    move |path, tensors| {
        let config = &base.config;
        match (&adapter, tune) {
            (_, Tune::Weights) => write_tuned_weights(path, config, labels, tensors)?,
            (Some(adapter), _) => write_adapter(path, adapter, config, base_name, labels, tensors)?,
            (None, _) => write_head(path, config, labels, tensors)?,
        }
        Ok(())
    }
}

fn environment(settings: &TrainSettings, engine: &dyn Engine) -> Environment {
    Environment {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        operating_system: std::env::consts::OS.to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
        cores: cores(),
        precision: engine.precision().to_owned(),
        threads: engine.threads(),
        seed: settings.seed,
    }
}

/// Cores the system gives to the program.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

//! From settings to a model that trains or classifies: the one sequence, read top to bottom.
//!
//! ```text
//! corpora ── task ── base ── examples                            a plan of a run: `load`
//! corpora ── task ── base ── examples ── engine ── policy        a run, begun or resumed: `load`, `prepare`
//!            task ── base ── examples ── engine                  a model that classifies: `classifying_engine`
//! ```

use crate::base_tokens::BaseTokens;
use crate::data_split::DataSplit;
use crate::devices::{self, DeviceOptions};
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::sources::Sources;
use crate::folder::state::DataPrints;
use crate::linear::reference::Reference;
use crate::run::corpora::{Corpora, SplitSources};
use crate::run::data::RunData;
use crate::run::notice::Notice;
use crate::run::observer::Observer;
use crate::settings::{MemoryLimit, TrainSettings, Tune};
use crate::start_head::start_head;
use crate::step::head_only::HeadOnly;
use crate::task::{Task, ending};
use irtune_data::{Columns, DataError, Prompt, PromptChoice};
use irtune_model::{
    Base, Engine, EngineOptions, Head, HeadInput, LossOptions, ModelConfig, ModelError, ProblemType, Trained,
};
use irtune_select::LayerPolicy;
use std::path::Path;
use std::sync::Arc;

/// What a run is prepared from.
pub(crate) struct Preparation<'a> {
    pub(crate) settings: &'a TrainSettings,
    pub(crate) sources: &'a SplitSources,
    pub(crate) columns: &'a Columns,
    /// Where the base lies.
    pub(crate) base: &'a Path,
    pub(crate) origin: Origin<'a>,
}

/// Whether a run is new.
pub(crate) enum Origin<'a> {
    /// Its labels are those of the training pairs.
    New(PromptChoice),
    /// It was begun before, and must find what it was begun with.
    Begun(Begun<'a>),
}

/// What a run was begun with.
pub(crate) struct Begun<'a> {
    pub(crate) task: Task,
    pub(crate) sources: &'a Sources,
    /// The run folder.
    pub(crate) folder: &'a RunFolder,
    /// Of the examples, where there is a checkpoint.
    pub(crate) prints: Option<&'a DataPrints>,
}

/// All that a run trains with.
pub(crate) struct Prepared {
    pub(crate) base: Arc<Base>,
    pub(crate) task: Task,
    pub(crate) data: RunData,
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) policy: Box<dyn LayerPolicy>,
    /// The linear model of the same pairs.
    pub(crate) linear: Option<Reference>,
}

/// All that a run is made from, before anything is made.
pub(crate) struct Loaded {
    pub(crate) corpora: Corpora,
    pub(crate) base: Arc<Base>,
    pub(crate) task: Task,
    pub(crate) data: RunData,
}

/// Reads and encodes everything that a run needs.
///
/// # Errors
/// Whatever is wrong with data or base, or, where the run was begun before, that they are no longer the same.
pub(crate) fn load(plan: &Preparation<'_>, observer: &mut dyn Observer) -> Result<Loaded, TrainError> {
    let Preparation { settings, sources, columns, base, origin } = plan;
    let corpora = Corpora::read(sources, columns, settings.labels(), &settings.draw(), observer)?;
    if settings.soft_labels {
        corpora.check_votes()?;
    }
    if let Origin::New(_) = origin {
        corpora.check_dropped(&columns.drop_labels)?;
    }
    let (mut task, chat, begun) = match origin {
        Origin::New(prompt) => {
            (Task::of(settings, prompt.template.clone(), corpora.labels.clone())?, prompt.chat, None)
        }
        // Its template was put into the chat when it began.
        Origin::Begun(begun) => (begun.task.clone(), false, Some(begun)),
    };
    let base = Arc::new(Base::open(base).map_err(ModelError::from)?);
    match begun {
        Some(begun) => begun.check_base(&base)?,
        None => task.ending = ending(&base, settings, chat),
    }
    if chat {
        let tokens = BaseTokens::new(base.clone());
        task.template = task.template.in_chat(&tokens, settings.system.as_deref(), &[])?;
    }
    let family = base.config.family;
    if !family.has_classifier && task.verbalizer.is_none() && begun.is_none() {
        observer.on_notice(&Notice::OwnHead { family: family.title });
    }
    let data = corpora.encode(&base, &task, settings, observer)?;
    begun.map_or(Ok(()), |begun| begun.check_data(&data))?;
    let (longest, positions) = (data.largest_batch(1), base.config.max_positions);
    if longest > positions {
        observer.on_notice(&Notice::BeyondPositions { longest, positions });
    }
    Ok(Loaded { corpora, base, task, data })
}

/// Makes everything that a run needs of what was loaded, and writes nothing.
///
/// # Errors
/// When the base lacks a tensor, or the settings don't fit base or data.
pub(crate) fn prepare(
    loaded: Loaded,
    plan: Preparation<'_>,
    observer: &mut dyn Observer,
) -> Result<Prepared, TrainError> {
    let Loaded { corpora, base, task, data } = loaded;
    let Preparation { settings, origin, .. } = plan;
    let mut engine = make_engine(&base, settings, &data)?;
    say_labels::<TrainError>(engine.as_mut(), &base, &task, &task.prompt())?;
    if task.verbalizer.is_none() {
        start_head(engine.as_mut(), &base, &data.head(settings.head), &task.labels, observer)?;
    }
    let policy = make_policy(settings, base.config.layers)?;
    let folder = match &origin {
        Origin::New(_) => None,
        Origin::Begun(begun) => Some(begun.folder),
    };
    let linear = linear(&corpora, &task, folder, observer);
    Ok(Prepared { base, task, data, engine, policy, linear })
}

/// The linear model of a run's pairs. A run goes on without one.
fn linear(
    corpora: &Corpora,
    task: &Task,
    folder: Option<&RunFolder>,
    observer: &mut dyn Observer,
) -> Option<Reference> {
    let reference = match task.problem {
        ProblemType::SingleLabel => {
            Reference::of(corpora, &task.labels, folder).map_err(|error| error.to_string())
        }
        ProblemType::MultiLabel => Err("it tells one label of a pair, and pairs can have several".to_owned()),
    };
    reference.inspect_err(|reason| observer.on_notice(&Notice::NoLinear { reason: reason.clone() })).ok()
}

impl Begun<'_> {
    fn check_base(&self, base: &Base) -> Result<(), TrainError> {
        base.source.check(&self.sources.base)?;
        Ok(self.folder.check_padding(base)?)
    }

    fn check_data(&self, data: &RunData) -> Result<(), TrainError> {
        let Some(split) = self.prints.and_then(|before| before.changed(&data.prints())) else {
            return Ok(());
        };
        let Sources { train, validation, test, .. } = self.sources;
        let source = match split {
            DataSplit::Train => None,
            DataSplit::Validation => validation.as_ref(),
            DataSplit::Test => test.as_ref(),
        };
        Err(TrainError::DataChanged { split, path: source.unwrap_or(train).path(self.folder.path()) })
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
    let (options, trained) = (engine_options(settings, data), trained(settings, &base.config)?);
    base.config.check_length(data.largest_batch(1)).map_err(ModelError::from)?;
    if let Some(adapter) = trained.adapter() {
        adapter.check_patterns(&base.config).map_err(ModelError::from)?;
    }
    let device = DeviceOptions::of(settings.precision, settings.threads);
    let mut engine =
        devices::engine(device, base.clone(), trained, data.head(settings.head), settings.seed, options)?;
    let targets = data.train.iter().filter_map(|example| example.target.as_ref());
    let class_weights = settings.class_weights.resolve(&data.labels, targets)?;
    engine.set_loss(LossOptions { class_weights, label_smoothing: settings.label_smoothing })?;
    engine.set_head_rate(settings.head_learning_rate_ratio);
    Ok(engine)
}

/// How large an engine is that trains on the data.
pub(crate) fn engine_options(settings: &TrainSettings, data: &RunData) -> EngineOptions {
    let (longest, mut largest) = (data.largest_batch(1), data.largest_batch(settings.batch_size));
    let mut max_examples = settings.batch_size.min(data.most_examples());
    if let Some(tokens) = settings.step_tokens() {
        let shortest = data.train.iter().map(|example| example.tokens.len()).min().unwrap_or(1).max(1);
        largest = largest.max(tokens.saturating_add(longest));
        max_examples = max_examples.max(data.train.len().min((tokens.saturating_add(longest)) / shortest));
    }
    EngineOptions {
        max_tokens: settings.batch_limit().most_tokens(longest, largest),
        max_examples,
        training: true,
        memory_bytes: settings.memory.map(MemoryLimit::bytes),
    }
}

/// What trains beside the head of a model over a base.
///
/// # Errors
/// When there is no such method, or not for so many layers.
pub(crate) fn trained(settings: &TrainSettings, base: &ModelConfig) -> Result<Trained, TrainError> {
    Ok(match settings.tune {
        Tune::Adapters => settings.adapter_for(base).into(),
        Tune::Weights => Trained::Weights { lowest: make_policy(settings, base.layers)?.lowest() },
    })
}

/// The engine of a run over a base of fewer layers, to be timed: every layer may train, and nothing is recomputed.
///
/// # Errors
/// As [`make_engine`].
pub(crate) fn timing_engine(
    base: &Arc<Base>,
    settings: &TrainSettings,
    data: &RunData,
    task: &Task,
) -> Result<Box<dyn Engine>, TrainError> {
    let options = EngineOptions { memory_bytes: None, ..engine_options(settings, data) };
    let trained = match settings.tune {
        Tune::Adapters => settings.adapter_for(&base.config).into(),
        Tune::Weights => Trained::Weights { lowest: 0 },
    };
    let device = DeviceOptions::of(settings.precision, settings.threads);
    let head = data.head(settings.head);
    let mut engine = devices::engine(device, base.clone(), trained, head, settings.seed, options)?;
    say_labels::<TrainError>(engine.as_mut(), base, task, &task.prompt())?;
    Ok(engine)
}

/// An engine that only classifies, by a head over `input` or by the task's words after `prompt`.
///
/// # Errors
/// When the base lacks a tensor, or can't say the labels' words.
pub(crate) fn classifying_engine<E: From<ModelError> + From<DataError>>(
    device: DeviceOptions,
    base: &Arc<Base>,
    task: &Task,
    prompt: &Prompt,
    (trained, input): (Trained, HeadInput),
    seed: u64,
    options: EngineOptions,
) -> Result<Box<dyn Engine>, E> {
    let head = Head { labels: task.labels.len(), input };
    let mut engine = devices::engine(device, base.clone(), trained, head, seed, options)?;
    say_labels::<E>(engine.as_mut(), base, task, prompt)?;
    Ok(engine)
}

/// Makes the language-model head tell the labels, if there are words for them.
fn say_labels<E: From<ModelError> + From<DataError>>(
    engine: &mut dyn Engine,
    base: &Arc<Base>,
    task: &Task,
    prompt: &Prompt,
) -> Result<(), E> {
    if let Some(verbalizer) = &task.verbalizer {
        engine.classify_by_words(verbalizer.label_tokens(&BaseTokens::new(base.clone()), prompt)?)?;
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

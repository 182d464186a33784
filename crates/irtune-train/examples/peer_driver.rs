//! Trains or classifies with irtune's own step over a file of token ids, timed; `bench/peers/train_peer.py` does the
//! same with PyTorch.
//!
//! `cargo run --release -p irtune-train --example peer_driver -- --help` lists the options. The result is JSON.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Instant, SystemTime};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use irtune_cpu::level;
use irtune_data::{Example, LabelSet, Target};
use irtune_model::{AdapterConfig, Base, Engine, EngineOptions, ModelConfig, Precision, Projection};
use irtune_select::{
    Draws as _, Evidence, LayerPolicy, LayerSet, PolicyState, SelectError, Signals, StepDraws,
};
use irtune_train::data::RunData;
use irtune_train::devices::{self, DeviceOptions};
use irtune_train::evaluate::BatchLimit;
use irtune_train::step::{StepBatch, StepRecipe, StepScratch, training_step};
use irtune_train::{HeadKind, TrainSettings, evaluate, make_engine, make_policy, peak_bytes};
use serde::Deserialize;
use serde_json::json;

/// Trains or classifies over a file of token ids, timed.
#[derive(Parser)]
struct Options {
    /// The base: a folder or a GGUF file
    #[arg(long)]
    base: PathBuf,
    /// Examples in the order they run: {"tokens": [ids], "label": class} a line
    #[arg(long)]
    data: PathBuf,
    /// What to do with them
    #[arg(long, value_enum, default_value = "train")]
    task: Task,
    /// The layers to train, a list a step; without it the method's policy chooses
    #[arg(long)]
    layers: Option<PathBuf>,
    /// Steps to time; all that the data give when not given
    #[arg(long)]
    steps: Option<usize>,
    /// Steps made before the clock starts
    #[arg(long, default_value_t = 1)]
    warmup_steps: usize,
    /// Operands of the frozen model's products
    #[arg(long)]
    precision: Option<Precision>,
    /// Any training setting; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The result to write
    #[arg(long)]
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Task {
    Train,
    Infer,
}

impl Options {
    /// Of a head that the peer has too, the recipe's settings, with those of the command line.
    fn settings(&self) -> anyhow::Result<TrainSettings> {
        let table: Result<Vec<toml::Table>, _> =
            self.set.iter().map(|assignment| toml::from_str(&quoted(assignment))).collect();
        let classifier = toml::Table::from_iter([("head".to_owned(), HeadKind::Pooled.to_string().into())]);
        let mut settings: TrainSettings =
            std::iter::once(classifier).chain(table?).flatten().collect::<toml::Table>().try_into()?;
        settings.precision = self.precision.unwrap_or(settings.precision);
        let problems = settings.problems();
        anyhow::ensure!(problems.is_empty(), "{problems:?}");
        Ok(settings)
    }
}

/// `key=word` as TOML, which wants words in quotes.
fn quoted(assignment: &str) -> String {
    match assignment.split_once('=') {
        Some((key, value)) if toml::from_str::<toml::Table>(assignment).is_err() => {
            format!("{key}={value:?}")
        }
        _ => assignment.to_owned(),
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let settings = options.settings()?;
    let base = Arc::new(Base::open(&options.base)?);
    let examples = read_examples(&options.data)?;
    let classes =
        examples.iter().filter_map(|example| example.target.as_ref()?.class()).max().unwrap_or(0).max(4) + 1;
    let data = RunData {
        labels: LabelSet::new((0..classes).map(|class| class.to_string()))?,
        train: examples,
        validation: Vec::new(),
        test: Vec::new(),
    };
    let classifying = BatchLimit::classifying(settings.batch_size);
    let mut engine = match options.task {
        Task::Train => make_engine(&base, &settings, &data)?,
        Task::Infer => {
            let engine_options = EngineOptions {
                max_tokens: classifying.tokens,
                max_examples: classifying.examples,
                training: false,
                memory_bytes: None,
            };
            let trained = settings.adapter_for(&base.config).into();
            let threads = settings.threads.unwrap_or(1);
            let device = DeviceOptions { precision: settings.precision, threads };
            devices::engine(device, base.clone(), trained, data.labels.len(), settings.seed, engine_options)?
        }
    };
    leave_the_start(engine.as_mut(), settings.seed)?;
    let mut policy: Box<dyn LayerPolicy> = match &options.layers {
        Some(path) => Box::new(Replay::read(path, base.config.layers)?),
        None => make_policy(&settings, base.config.layers)?,
    };

    let (mut seconds, mut losses, mut active_layers) = (Vec::new(), Vec::new(), Vec::new());
    let mut operations = Vec::new();
    let (mut examples, mut tokens, mut packed_tokens) = (0, 0, 0);
    let (mut first_step, mut scratch) = (None, StepScratch::new(base.config.layers));
    let recipe = StepRecipe::of(&settings);
    let last = options.steps.map_or(usize::MAX, |steps| options.warmup_steps + steps);
    match options.task {
        Task::Train => {
            for (step, batch) in data.train.chunks(settings.batch_size).enumerate().take(last) {
                let start = Instant::now();
                let (number, refs) = (step as u64, &batch.iter().collect::<Vec<_>>()[..]);
                let learning_rate =
                    settings.learning_rate * settings.schedule.factor(number, settings.warmup(1000), 1000);
                let work = StepBatch { step: number, examples: refs, learning_rate };
                let outcome = training_step(engine.as_mut(), policy.as_mut(), &recipe, &work, &mut scratch)?;
                active_layers.push(outcome.active_layers);
                losses.push(outcome.loss);
                first_step = first_step.or_else(|| Some(SystemTime::now()));
                if step >= options.warmup_steps {
                    seconds.push(start.elapsed().as_secs_f64());
                    examples += batch.len();
                    tokens += batch.iter().map(|example| example.tokens.len()).sum::<usize>();
                    packed_tokens += outcome.tokens;
                }
            }
            let adapter = settings.adapter_for(&base.config);
            for (batch, layers) in data.train.chunks(settings.batch_size).zip(&active_layers) {
                let lengths: Vec<usize> = batch.iter().map(|example| example.tokens.len()).collect();
                operations.push(arithmetic(&base.config, adapter.as_ref(), layers, &lengths));
            }
        }
        Task::Infer => {
            let size = settings.batch_size;
            let (warm, timed) = data.train.split_at(data.train.len().min(options.warmup_steps * size));
            let timed = &timed[..timed.len().min(options.steps.map_or(usize::MAX, |steps| steps * size))];
            // The peer merges before the clock starts, too.
            engine.prepack();
            losses.push(loss(engine.as_mut(), warm, classifying)?);
            first_step = Some(SystemTime::now());
            let start = Instant::now();
            losses.push(loss(engine.as_mut(), timed, classifying)?);
            seconds.push(start.elapsed().as_secs_f64());
            examples = timed.len();
            tokens = timed.iter().map(|example| example.tokens.len()).sum();
        }
    }
    let total: f64 = seconds.iter().sum();
    let first_step =
        first_step.context("the data holds no example")?.duration_since(SystemTime::UNIX_EPOCH)?;
    let result = json!({
        "examples_per_second": examples as f64 / total,
        "tokens_per_second": tokens as f64 / total,
        "examples": examples,
        "tokens": tokens,
        "packed_tokens": (options.task == Task::Train).then_some(packed_tokens),
        "step_seconds": seconds,
        "step_operations": operations,
        "losses": losses,
        "peak_bytes": peak_bytes(),
        "first_step_unix_seconds": first_step.as_secs_f64(),
        "precision": engine.precision(),
        "threads": engine.threads(),
        "level": format!("{:?}", level()),
        "active_layers": active_layers,
        "settings": settings,
        "version": env!("CARGO_PKG_VERSION"),
    });
    fs::write(&options.out, serde_json::to_string_pretty(&result)? + "\n")
        .with_context(|| options.out.display().to_string())
}

/// Additions and multiplications that a step needs: of the last layer only what the pooled tokens need, of the frozen
/// weights no gradient, nothing backward below the lowest layer that trains. Norms, activations and the optimizer are
/// left out, and so is what a shared beginning saves.
fn arithmetic(
    base: &ModelConfig,
    adapter: Option<&AdapterConfig>,
    active_layers: &LayerSet,
    lengths: &[usize],
) -> f64 {
    let tokens: usize = lengths.iter().sum();
    let squares: usize = lengths.iter().map(|length| length * length).sum();
    let lowest = active_layers.iter().min().unwrap_or(base.layers);
    let mut sum = 0.0;
    for layer in 0..base.layers {
        let last = layer + 1 == base.layers;
        let (backward, trains) = (layer >= lowest, active_layers.contains(layer));
        for projection in base.layer(layer).projections() {
            use Projection::{KProj, QkvProj, VProj};
            let of_all = !last || matches!(projection, KProj | VProj | QkvProj);
            let rows = if of_all { tokens } else { lengths.len() };
            let (outputs, inputs) = base.projection_shape(projection);
            let adapted = adapter.filter(|adapter| adapter.target_modules().contains(&projection)).map_or(
                0,
                |adapter| {
                    let shapes = adapter.tensors(base, layer, projection);
                    shapes.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
                },
            );
            let passes = 1 + usize::from(backward);
            let numbers = passes * (outputs * inputs + adapted) + usize::from(trains) * adapted;
            sum += (2 * rows * numbers) as f64;
        }
        let pairs = if last { 2 * tokens } else { squares };
        let attention = (2 * pairs * base.query_size()) as f64;
        sum += if backward { 3.5 * attention } else { attention };
    }
    sum
}

fn read_examples(path: &Path) -> anyhow::Result<Vec<Example>> {
    #[derive(Deserialize)]
    struct Line {
        tokens: Vec<u32>,
        label: u32,
    }
    let lines: Vec<Line> = read_lines(path)?;
    let example =
        |Line { tokens, label }| Example { tokens, target: Some(Target::Class(label)), ..Example::default() };
    Ok(lines.into_iter().map(example).collect())
}

fn read_lines<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| path.display().to_string())).collect()
}

/// Gives every B of the adapters small values, as after the first updates: the engine leaves out an adapter whose B is
/// still zero, and a peer does not.
fn leave_the_start(engine: &mut dyn Engine, seed: u64) -> anyhow::Result<()> {
    let mut parameters = engine.parameters();
    let mut draws = StepDraws::new(seed, 0);
    for parameter in parameters.iter_mut().filter(|parameter| parameter.name.contains("lora_B")) {
        parameter.data.fill_with(|| (draws.unit() - 0.5) as f32 * 1e-3);
    }
    Ok(engine.load_parameters(&parameters)?)
}

/// The mean loss of examples in evaluation mode.
fn loss(engine: &mut dyn Engine, examples: &[Example], limit: BatchLimit) -> anyhow::Result<f64> {
    let logits = evaluate::logits(engine, examples, limit, &AtomicBool::new(false))?;
    let targets: Vec<u32> = examples.iter().filter_map(|example| example.target.as_ref()?.class()).collect();
    Ok(evaluate::mean_loss(&logits.unwrap_or_default(), &targets, engine.labels()))
}

/// Trains the layers of a list, which begins anew at its end.
struct Replay {
    sets: Vec<LayerSet>,
}

impl Replay {
    fn read(path: &Path, layers: usize) -> anyhow::Result<Self> {
        let lines: Vec<Vec<usize>> = read_lines(path)?;
        anyhow::ensure!(!lines.is_empty(), "{} holds no layers", path.display());
        let sets = lines.into_iter().map(|chosen| LayerSet::new(layers, chosen));
        Ok(Self { sets: sets.collect::<Result<_, _>>()? })
    }
}

impl LayerPolicy for Replay {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn needs(&self) -> Signals {
        Signals::none()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        Ok(self.sets[evidence.step as usize % self.sets.len()])
    }

    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }

    fn scores(&self) -> &[Option<f64>] {
        &[]
    }

    fn state(&self) -> PolicyState {
        PolicyState::new(self.name())
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        state.expect_method(self.name())
    }
}

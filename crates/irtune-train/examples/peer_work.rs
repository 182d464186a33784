//! Writes the work that irtune and PyTorch are timed on: token ids in the order of their batches, and layers to train.
//!
//! `cargo run --release -p irtune-train --example peer_work -- help` lists what it writes. Every file is JSONL:
//! `{"tokens": [ids], "label": class}` an example, a list of layers a step.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Parser, ValueEnum};
use irtune_data::{
    Columns, Corpus, Encoder, EpochOrder, Example, LabelSet, Labels, Target, Template, related,
};
use irtune_model::Base;
use irtune_select::{Draws as _, LayerSet, StepDraws};
use irtune_train::{BaseTokens, Recipe, TrainSettings};
use serde_json::json;

/// Writes the work that both sides are timed on.
#[derive(Parser)]
enum Work {
    /// The pairs of a file as prompts, in batches
    Corpus(CorpusWork),
    /// Random ids, all examples of one length
    Dense(DenseWork),
    /// The layers that train in each step
    Layers(LayersWork),
}

#[derive(Args)]
struct CorpusWork {
    /// The base, whose tokenizer is used
    #[arg(long)]
    base: PathBuf,
    /// Training pairs, which name the labels
    #[arg(long)]
    train: PathBuf,
    /// The pairs to write; the training pairs when not given
    #[arg(long)]
    pairs: Option<PathBuf>,
    /// Examples in a batch
    #[arg(long)]
    batch_size: usize,
    /// Which pairs share a batch
    #[arg(long, value_enum, default_value = "length")]
    order: Order,
    /// Batches whose examples are sorted by length together; all when not given
    #[arg(long)]
    window: Option<usize>,
    /// Longest example in tokens; the order is that of the default, so that batches hold the same pairs
    #[arg(long)]
    max_length: Option<usize>,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Order {
    /// Those of like lengths
    Length,
    /// Those that share a beginning, as in the first epoch of a run with `batches = "related"`
    Related,
    /// As in the first epoch of a run by default
    Shuffled,
}

#[derive(Args)]
struct DenseWork {
    /// The base, whose vocabulary is drawn from
    #[arg(long)]
    base: PathBuf,
    /// How many examples
    #[arg(long)]
    examples: usize,
    /// Tokens of each
    #[arg(long)]
    length: usize,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

#[derive(Args)]
struct LayersWork {
    /// The base, whose layers are chosen from
    #[arg(long)]
    base: PathBuf,
    /// How many layers train
    #[arg(long)]
    count: usize,
    /// Draw them anew every so many steps; without it they are the highest ones
    #[arg(long)]
    redraw: Option<u64>,
    /// How many steps
    #[arg(long)]
    steps: u64,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let seed = TrainSettings::of(Recipe::Published).seed;
    match Work::parse() {
        Work::Corpus(work) => {
            let base = Arc::new(Base::open(&work.base)?);
            let default = TrainSettings::of(Recipe::Published).max_length;
            let examples = encode(&work, default, base.clone())?;
            let epoch = || EpochOrder::new(examples.len(), work.batch_size.max(1), seed);
            let order = match work.order {
                Order::Length => grouped(&examples, &work, seed)?,
                Order::Related => epoch()?.with_groups(related(&examples)).order(0),
                Order::Shuffled => epoch()?.order(0),
            };
            let examples = match work.max_length {
                Some(length) => encode(&work, length, base)?,
                None => examples,
            };
            write_examples(&work.out, order.iter().map(|&index| &examples[index]))
        }
        Work::Dense(work) => {
            let vocabulary = Base::open(&work.base)?.config.vocabulary_size;
            let example = |index: usize| {
                let mut draws = StepDraws::new(seed, index as u64);
                let tokens = (0..work.length).map(|_| draws.below(vocabulary) as u32).collect();
                Example { tokens, target: Some(Target::Class(index as u32 % 5)), ..Example::default() }
            };
            write_examples(&work.out, &(0..work.examples).map(example).collect::<Vec<_>>())
        }
        Work::Layers(work) => {
            let layers = Base::open(&work.base)?.config.layers;
            anyhow::ensure!((1..=layers).contains(&work.count), "the base has {layers} layers");
            let sets = (0..work.steps).map(|step| match work.redraw {
                Some(every) => drawn(layers, work.count, StepDraws::new(seed, step / every.max(1))),
                None => (layers - work.count..layers).collect(),
            });
            let sets = sets.map(|chosen| LayerSet::new(layers, chosen).map(|set| json!(set)));
            write_lines(&work.out, &sets.collect::<Result<Vec<_>, _>>()?)
        }
    }
}

/// `count` different layers.
fn drawn(layers: usize, count: usize, mut draws: StepDraws) -> Vec<usize> {
    let mut rest: Vec<usize> = (0..layers).collect();
    (0..count).map(|_| rest.swap_remove(draws.below(rest.len()))).collect()
}

/// The pairs as a run of the published recipe encodes them.
fn encode(work: &CorpusWork, max_length: usize, base: Arc<Base>) -> anyhow::Result<Vec<Example>> {
    let settings = TrainSettings::of(Recipe::Published);
    let train = Corpus::read(&work.train.clone().into(), &Columns::default(), Labels::Required)?;
    let labels = LabelSet::discover(&train.pairs)?;
    let corpus = match &work.pairs {
        Some(path) => Corpus::read(&path.clone().into(), &Columns::default(), Labels::Required)?,
        None => train,
    };
    let template = Template::named(&settings.prompt).context("the published prompt")?;
    let tokens = BaseTokens::new(base);
    let encoder = Encoder::new(&tokens, template.prompt(&labels), max_length)?;
    Ok(encoder.encode_all(&corpus.pairs, Some(&labels))?.examples)
}

/// Sorted by length within windows, the whole batches of it in random order, an incomplete one last.
fn grouped(examples: &[Example], work: &CorpusWork, seed: u64) -> anyhow::Result<Vec<usize>> {
    let size = work.batch_size.max(1);
    let window = work.window.map_or(examples.len(), |batches| batches * size).max(1);
    let mut sorted: Vec<usize> = (0..examples.len()).collect();
    for window in sorted.chunks_mut(window) {
        window.sort_by_key(|&index| examples[index].tokens.len());
    }
    let whole: Vec<&[usize]> = sorted.chunks_exact(size).collect();
    let order = EpochOrder::new(whole.len().max(1), 1, seed)?.order(0);
    let batches = order.iter().filter_map(|&batch| whole.get(batch)).copied();
    Ok(batches.chain([sorted.chunks_exact(size).remainder()]).flatten().copied().collect())
}

fn write_examples<'a>(path: &Path, examples: impl IntoIterator<Item = &'a Example>) -> anyhow::Result<()> {
    let line = |example: &Example| json!({"tokens": example.tokens, "label": example.target.as_ref().and_then(Target::class)});
    write_lines(path, &examples.into_iter().map(line).collect::<Vec<_>>())
}

fn write_lines(path: &Path, lines: &[serde_json::Value]) -> anyhow::Result<()> {
    let file = fs::File::create(path).with_context(|| path.display().to_string())?;
    let mut writer = BufWriter::new(file);
    for line in lines {
        writeln!(writer, "{line}")?;
    }
    Ok(writer.flush()?)
}

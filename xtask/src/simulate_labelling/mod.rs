//! A simulated labelling of a labelled corpus: how much each queue is worth.

mod campaign;
mod corpus;
mod plot;

use std::path::PathBuf;

use clap::Args;
use irtune_data::Preset;
use irtune_labelling::queue::Queue;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator as _;

use crate::files;
use crate::programs::root;
use campaign::campaign;
use corpus::Corpora;

/// Labels that are given between two trainings.
const ROUND: usize = 50;
/// Labels at the end.
const LAST: usize = 800;
const SEEDS: [u64; 3] = [171, 172, 173];

/// `cargo xtask simulate-labelling`
#[derive(Debug, Args)]
pub struct Options {
    /// What tables call the corpus
    #[arg(long)]
    name: String,
    /// Pairs to draw from; their labels are shown when they are drawn
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// Pairs by which the default queue is chosen
    #[arg(long, value_name = "FILE")]
    validation: PathBuf,
    /// Pairs that nothing is chosen by
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// The arrangement of the files
    #[arg(long, default_value = "auto")]
    preset: Preset,
}

/// How good the model was after so many labels, the mean of all seeds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    labels: usize,
    validation_macro_f1: f64,
    test_macro_f1: f64,
}

/// A queue's campaigns.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Curve {
    queue: Queue,
    measured: Vec<Measured>,
}

/// What was measured on a corpus.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Results {
    corpus: String,
    pairs: usize,
    seeds: Vec<u64>,
    curves: Vec<Curve>,
}

/// Simulates every queue, and writes `results/labelling/NAME.json`.
///
/// # Errors
/// When a corpus can't be read, a model can't be fitted, or the file can't be written.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let corpora = Corpora::read(options)?;
    let mut curves = Vec::new();
    for queue in Queue::iter() {
        let campaigns: Vec<Vec<Measured>> =
            SEEDS.iter().map(|&seed| campaign(&corpora, queue, seed)).collect::<anyhow::Result<_>>()?;
        let curve = Curve { queue, measured: mean(&campaigns) };
        let along = |figure: fn(&Measured) -> f64| {
            curve.measured.iter().map(figure).sum::<f64>() / curve.measured.len() as f64
        };
        eprintln!(
            "{queue}: mean macro-F1 along the curve {:.3} (validation), {:.3} (test)",
            along(|point| point.validation_macro_f1),
            along(|point| point.test_macro_f1)
        );
        curves.push(curve);
    }
    let pairs = corpora.pool.len();
    let results = Results { corpus: options.name.clone(), pairs, seeds: SEEDS.to_vec(), curves };
    let folder = root().join("results/labelling");
    files::write(
        &folder.join(format!("{}.json", options.name)),
        &(serde_json::to_string_pretty(&results)? + "\n"),
    )?;
    files::write(&root().join("docs/labelling.svg"), &plot::draw()?)
}

fn mean(campaigns: &[Vec<Measured>]) -> Vec<Measured> {
    let over = |place: usize, figure: fn(&Measured) -> f64| {
        campaigns.iter().map(|campaign| figure(&campaign[place])).sum::<f64>() / campaigns.len() as f64
    };
    let point = |place: usize| Measured {
        labels: campaigns[0][place].labels,
        validation_macro_f1: over(place, |point| point.validation_macro_f1),
        test_macro_f1: over(place, |point| point.test_macro_f1),
    };
    (0..campaigns[0].len()).map(point).collect()
}

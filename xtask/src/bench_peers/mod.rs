//! irtune and its peers on the same work, side by side.

mod case;
mod figures;
mod pairs;
mod products;
mod python;
mod results;
mod table;
mod work;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::{machine, programs, programs::Programs};
use case::{CASES, Peer};
use python::Python;
use results::Results;
use work::Workshop;

/// The case of matrix products, which is no training run.
const PRODUCTS: &str = "products";

/// `cargo xtask bench-peers`
#[derive(Debug, Args)]
pub struct Options {
    /// The IteraTeR-human folder, with train.jsonl and test.jsonl
    #[arg(long, value_name = "FOLDER")]
    corpus: PathBuf,
    /// The base: a GGUF file, or a name that irtune finds it by
    #[arg(long, value_name = "BASE", default_value = "smollm2")]
    base: String,
    /// Cases to run, divided by commas; all when not given
    #[arg(long, value_delimiter = ',', value_name = "CASES", value_parser = case::names())]
    only: Vec<String>,
    /// Runs of each side
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pairs: u64,
    /// PyTorch's settings to try, divided by commas; all when not given
    #[arg(long, value_delimiter = ',', value_name = "SETTINGS", value_parser = case::SETTINGS)]
    settings: Vec<String>,
    /// Threads of each side; all cores when not given
    #[arg(long)]
    threads: Option<usize>,
    /// A training setting of irtune's side, such as precision=f32; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Try it out: two small steps, one pair, two settings of PyTorch, and a result that isn't kept in results/
    #[arg(long)]
    quick: bool,
    /// Where exported weights and token files go [default: irtune-peers in the user's cache folder]
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    /// The Python environment, made when it isn't there [default: python in the work folder]
    #[arg(long, value_name = "FOLDER")]
    environment: Option<PathBuf>,
    /// The result file [default: results/peers/MACHINE.json, with --quick quick.json in the work folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Options {
    fn wants(&self, case: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == case)
    }

    fn threads(&self) -> usize {
        self.threads.unwrap_or_else(machine::cores)
    }

    fn pairs(&self) -> u64 {
        if self.quick { 1 } else { self.pairs }
    }

    fn work_folder(&self) -> anyhow::Result<PathBuf> {
        match &self.work {
            Some(folder) => Ok(std::path::absolute(folder)?),
            None => {
                Ok(machine::cache().context("no cache folder: give one with --work")?.join("irtune-peers"))
            }
        }
    }
}

/// Runs the cases, and writes what each said as soon as it is done.
///
/// # Errors
/// When a side can't be made ready, a run fails, or both sides didn't do the same work. A llama.cpp that can't be
/// installed is told and left out.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let folder = options.work_folder()?;
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let programs = Programs::build()?;
    let python = Python::ready(options.environment.clone().unwrap_or_else(|| folder.join("python")))?;
    let shop = Workshop::open(options, folder, &programs, &python)?;
    let out = match (&options.out, options.quick) {
        (Some(path), _) => path.clone(),
        (None, true) => shop.folder.join("quick.json"),
        (None, false) => {
            programs::root().join("results/peers").join(format!("{}.json", machine::file_name()))
        }
    };
    let mut results = Results::open(out)?;
    for case in CASES.iter().filter(|case| options.wants(case.name)) {
        if case.peer == Peer::Llama
            && let Err(reason) = python.llama()
        {
            eprintln!("{}: llama.cpp can't be installed here: {reason}", case.name);
            results.keep(case.name, json!({"unavailable": reason.to_string()}))?;
            continue;
        }
        let result = pairs::run(case, options, &shop).with_context(|| format!("case {}", case.name))?;
        results.keep(case.name, result)?;
    }
    if options.wants(PRODUCTS) {
        results.keep(PRODUCTS, products::run(options, &shop)?)?;
    }
    print!("{}", table::text(&results.value));
    eprintln!("Written to {}", results.path.display());
    Ok(())
}

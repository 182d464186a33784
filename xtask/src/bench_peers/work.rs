//! The files that both sides read: the base, the examples in their order, the layers that train.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::Options;
use super::case::{Case, Examples, Layers};
use super::python::Python;
use crate::programs::{Programs, output};

/// Examples that train together.
const BATCH: usize = 16;
/// Examples that are classified together: both sides are faster with more, PyTorch a little.
const CLASSIFIED_BATCH: usize = 32;
/// Examples in a batch when only trying out.
const QUICK_BATCH: usize = 2;
/// Tokens of an example of random ids.
const DENSE_LENGTH: usize = 112;
/// Batches of training pairs that are sorted by length together: transformers' own number.
const WINDOW: usize = 50;

/// The fastest setting, and what each reached.
pub type Sweep = (&'static str, Map<String, Value>);

/// Where the files lie and who makes them.
pub struct Workshop<'a> {
    /// What settings of PyTorch were found, for training and for classifying.
    pub sweeps: RefCell<[Option<Sweep>; 2]>,
    /// Where they lie.
    pub folder: PathBuf,
    /// irtune's side.
    pub programs: &'a Programs,
    /// The peers' side.
    pub python: &'a Python,
    quick: bool,
    base: PathBuf,
    corpus: PathBuf,
}

impl<'a> Workshop<'a> {
    /// Finds the base, fetching it when it isn't there.
    ///
    /// # Errors
    /// When it can't be found.
    pub fn open(
        options: &Options,
        folder: PathBuf,
        programs: &'a Programs,
        python: &'a Python,
    ) -> anyhow::Result<Self> {
        let found = output(programs.command("irtune").args(["inspect", &options.base, "--json"]))?;
        let found: Value = serde_json::from_str(&found)?;
        let base = PathBuf::from(found["path"].as_str().context("irtune inspect gives no path")?);
        let sweeps = RefCell::default();
        let (corpus, quick) = (options.corpus.clone(), options.quick);
        Ok(Self { sweeps, folder, programs, python, quick, base, corpus })
    }

    /// Examples in a batch of a case.
    pub fn batch_size(&self, case: &Case) -> usize {
        match case.examples {
            _ if self.quick => QUICK_BATCH,
            Examples::Dense | Examples::Train | Examples::First => BATCH,
            Examples::Test => CLASSIFIED_BATCH,
        }
    }

    /// irtune's base.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// The base as PyTorch loads it in one of its settings.
    ///
    /// # Errors
    /// When it can't be exported.
    pub fn peer_base(&self, setting: &str) -> anyhow::Result<PathBuf> {
        if self.base.is_dir() {
            return Ok(self.base.clone());
        }
        let precision =
            if setting == "published" || setting.starts_with("float32") { "float32" } else { "bfloat16" };
        let name = self.base.file_stem().unwrap_or_default().display().to_string();
        let folder = self.folder.join(format!("{name}-{}-{precision}", self.base.metadata()?.len()));
        self.python.export(&self.base, precision, &folder)?;
        Ok(folder)
    }

    /// Writes the examples of a case in their usual order, whole.
    ///
    /// # Errors
    /// When the corpus can't be read.
    pub fn examples(&self, case: &Case) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(format!("{}-examples.jsonl", case.name));
        output(self.write_examples(case).arg("--out").arg(&path))?;
        Ok(path)
    }

    /// Writes the examples as irtune gets them with the options of a case: in the order of related batches, or
    /// shortened, the same pairs in the same batches.
    ///
    /// # Errors
    /// When the corpus can't be read.
    pub fn our_examples(&self, case: &Case) -> anyhow::Result<PathBuf> {
        let path = self.folder.join(format!("{}-our-examples.jsonl", case.name));
        let mut command = self.write_examples(case);
        command.args(case.related.then_some("--order=related"));
        command.args(case.max_length.map(|tokens| format!("--max-length={tokens}")));
        output(command.arg("--out").arg(&path))?;
        Ok(path)
    }

    /// The command that writes them, but for where to and for options.
    fn write_examples(&self, case: &Case) -> Command {
        let batch_size = self.batch_size(case);
        let mut command = match case.examples {
            Examples::Dense => {
                let steps = case.warmup_steps + case.steps.unwrap_or(1);
                self.make("dense", &[("examples", steps * batch_size), ("length", DENSE_LENGTH)])
            }
            Examples::Train => self.make("corpus", &[("batch-size", batch_size), ("window", WINDOW)]),
            Examples::First | Examples::Test => self.make("corpus", &[("batch-size", batch_size)]),
        };
        if case.examples != Examples::Dense {
            command.arg("--train").arg(self.corpus.join("train.jsonl"));
        }
        command.args((case.examples == Examples::First).then_some("--order=shuffled"));
        if case.examples == Examples::Test {
            command.arg("--pairs").arg(self.corpus.join("test.jsonl"));
        }
        command
    }

    /// Writes the layers of a case, where they are known beforehand and aren't all.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn layers(&self, case: &Case) -> anyhow::Result<Option<PathBuf>> {
        let steps = case.warmup_steps + case.steps.unwrap_or(1);
        let mut command = match case.layers {
            Layers::All | Layers::Chosen => return Ok(None),
            Layers::Drawn { count, every } => {
                self.make("layers", &[("count", count), ("redraw", every), ("steps", steps)])
            }
            Layers::Top { count } => self.make("layers", &[("count", count), ("steps", steps)]),
        };
        let path = self.folder.join(format!("{}-layers.jsonl", case.name));
        output(command.arg("--out").arg(&path))?;
        Ok(Some(path))
    }

    fn make(&self, work: &str, numbers: &[(&str, usize)]) -> Command {
        let mut command = self.programs.command("peer_work");
        command.arg(work).arg("--base").arg(&self.base);
        for (name, number) in numbers {
            command.arg(format!("--{name}={number}"));
        }
        command
    }
}

//! How time and memory grow with the work: batch, length, rank, training layers, threads, and larger models.

mod plot;
mod series;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::programs::{Programs, commit, output, result, root};
use crate::{files, machine};
use series::{Point, Work, points};

/// `cargo xtask bench-scale`
#[derive(Debug, Args)]
pub struct Options {
    /// The base: a GGUF file, or a name that irtune finds it by
    #[arg(long, value_name = "BASE", default_value = "smollm2")]
    base: String,
    /// Series to run, divided by commas; all when not given
    #[arg(long, value_delimiter = ',', value_name = "SERIES", value_parser = series::names())]
    only: Vec<String>,
    /// Steps that are timed, after one that isn't
    #[arg(long, default_value_t = 2)]
    steps: usize,
    /// Where bases with random weights and token files go [default: irtune-scale in the user's cache folder]
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,
    /// The result file [default: results/scale/MACHINE.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Runs the series, writes what they said, and draws it.
///
/// # Errors
/// When a run fails or a file can't be written.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let folder = match &options.work {
        Some(folder) => folder.clone(),
        None => machine::cache().context("no cache folder: give one with --work")?.join("irtune-scale"),
    };
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let programs = Programs::build()?;
    let found = output(programs.command("irtune").args(["inspect", &options.base, "--json"]))?;
    let found: Value = serde_json::from_str(&found)?;
    let base = PathBuf::from(found["path"].as_str().context("irtune inspect gives no path")?);
    let bench = Bench { options, folder, programs: &programs, base };

    let path = options
        .out
        .clone()
        .unwrap_or_else(|| root().join("results/scale").join(format!("{}.json", machine::file_name())));
    let mut kept: Vec<Value> = Vec::new();
    if path.exists() {
        let old: Value = serde_json::from_slice(&fs::read(&path)?)?;
        kept = old["points"].as_array().cloned().unwrap_or_default();
    }
    for point in points(machine::cores()) {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == point.series) {
            continue;
        }
        let measured = bench.point(&point)?;
        eprintln!(
            "{} {}: {:.2} s a step, {:.0} tokens/s, {:.0} MB",
            point.series,
            point.value,
            measured["step_seconds"].as_f64().unwrap_or(f64::NAN),
            measured["tokens_per_second"].as_f64().unwrap_or(f64::NAN),
            measured["peak_bytes"].as_f64().unwrap_or(f64::NAN) / 1e6
        );
        let same = |other: &Value| other["series"] == point.series && other["value"] == point.value;
        match kept.iter().position(same) {
            Some(place) => kept[place] = measured,
            None => kept.push(measured),
        }
        let text = json!({"version": 1, "machine": machine::describe(), "points": kept});
        files::write(&path, &(serde_json::to_string_pretty(&text)? + "\n"))?;
    }
    // Another machine's picture stays.
    if machine::file_name() == plot::PICTURED {
        files::write(&root().join("docs/scale.svg"), &plot::draw(&kept))?;
    }
    Ok(())
}

struct Bench<'a> {
    options: &'a Options,
    folder: PathBuf,
    programs: &'a Programs,
    base: PathBuf,
}

impl Bench<'_> {
    fn point(&self, point: &Point) -> anyhow::Result<Value> {
        let work = &point.work;
        let base = self.base(work)?;
        let (examples, layers) = (self.folder.join("examples.jsonl"), self.folder.join("layers.jsonl"));
        let steps = self.options.steps + 1;
        let mut dense = self.maker("dense", &base);
        dense.arg(format!("--examples={}", steps * work.examples)).arg(format!("--length={}", work.length));
        output(dense.arg("--out").arg(&examples))?;
        let mut command = self.programs.command("peer_driver");
        command.arg("--base").arg(&base).arg("--data").arg(&examples);
        if let Some(count) = work.layers {
            let mut sets = self.maker("layers", &base);
            sets.arg(format!("--count={count}")).arg(format!("--steps={steps}"));
            output(sets.arg("--out").arg(&layers))?;
            command.arg("--layers").arg(&layers);
        } else {
            command.arg("--set=method=full");
        }
        for (name, value) in [
            ("batch_size", work.examples),
            ("rank", work.rank),
            ("alpha", 2 * work.rank),
            ("threads", work.threads),
        ] {
            command.arg(format!("--set={name}={value}"));
        }
        command.args(work.memory.map(|limit| format!("--set=memory={limit}")));
        let run = result(&mut command, &self.folder.join("scale.json"))?;
        let mut seconds: Vec<f64> =
            run["step_seconds"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
        seconds.sort_by(f64::total_cmp);
        let step = *seconds.get(seconds.len() / 2).context("no step was timed")?;
        let tokens = work.examples * work.length;
        Ok(json!({
            "series": point.series,
            "value": point.value,
            "commit": commit(),
            "base": work.base,
            "examples": work.examples,
            "length": work.length,
            "rank": work.rank,
            "training_layers": work.layers,
            "threads": work.threads,
            "memory": work.memory,
            "precision": run["precision"],
            "step_seconds": step,
            "step_operations": run["step_operations"][self.options.steps],
            "tokens_per_second": tokens as f64 / step,
            "peak_bytes": run["peak_bytes"],
        }))
    }

    fn maker(&self, what: &str, base: &Path) -> Command {
        let mut command = self.programs.command("peer_work");
        command.arg(what).arg("--base").arg(base);
        command
    }

    /// The real base, or one of the same shapes with random weights, written when it isn't there.
    fn base(&self, work: &Work) -> anyhow::Result<PathBuf> {
        let Some(name) = work.base else { return Ok(self.base.clone()) };
        let path = self.folder.join(format!("{name}.gguf"));
        if !path.exists() {
            let partial = self.folder.join(format!("{name}.partial"));
            output(self.programs.command("random_base").arg(name).arg(&partial))?;
            fs::rename(&partial, &path)?;
        }
        Ok(path)
    }
}

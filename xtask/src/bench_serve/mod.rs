//! `irtune serve` under load: beside `irtune predict`, beside FastAPI over transformers and PEFT, and with requests that are
//! wrong.

mod peer;
mod robustness;
mod served;
mod speed;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::programs::{Programs, commit, root};
use crate::{files, machine};

/// `cargo xtask bench-serve`
#[derive(Debug, Args)]
pub struct Options {
    /// The run that is served, and beside whose `predict` it is measured
    #[arg(long, value_name = "DIR", required_unless_present = "no_speed")]
    run: Option<PathBuf>,
    /// A run with a pooled head, which PEFT loads too
    #[arg(long, value_name = "DIR", required_unless_present = "no_speed")]
    pooled: Option<PathBuf>,
    /// Its base as transformers loads it (bench/peers/export_base.py writes one of a GGUF)
    #[arg(long, value_name = "FOLDER", required_unless_present = "no_speed")]
    base: Option<PathBuf>,
    /// The pairs
    #[arg(long, value_name = "FILE", required_unless_present = "no_speed")]
    data: Option<PathBuf>,
    /// A Python with torch, transformers, peft, fastapi and uvicorn
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: PathBuf,
    /// Connections, each of which sends a pair when the one before is answered
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Measurements of each side, in turn
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How often the pairs are sent in one of them
    #[arg(long, default_value_t = 1)]
    repeats: usize,
    /// Requests of the run with wrong ones; 0 leaves it out
    #[arg(long, default_value_t = 100_000)]
    requests: usize,
    /// Leave the measurements of speed out
    #[arg(long)]
    no_speed: bool,
    /// The irtune that is measured; built for speed when not given
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
    /// The result file [default: results/serve/MACHINE.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Measures, and writes what was found.
///
/// # Errors
/// When a side fails, or a file can't be written.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let programs = match &options.program {
        Some(program) => Programs::given("irtune", program.clone()),
        None => Programs::build_only(&["irtune"])?,
    };
    let path = options
        .out
        .clone()
        .unwrap_or_else(|| root().join("results/serve").join(format!("{}.json", machine::file_name())));
    let mut kept: Value = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| path.display().to_string())?,
        Err(_) => json!({"version": 1}),
    };
    kept["machine"] = machine::describe();
    let mut keep = |name: &str, mut value: Value| {
        value["commit"] = json!(commit());
        kept[name] = value;
        files::write(&path, &(serde_json::to_string_pretty(&kept)? + "\n"))
    };
    if options.requests > 0 {
        keep("robustness", robustness::measure(options, &programs)?)?;
    }
    if !options.no_speed {
        keep("speed", speed::measure(options, &programs)?)?;
    }
    eprintln!("Written to {}", path.display());
    Ok(())
}

/// `irtune serve`, on a port that the system chooses.
fn serve(programs: &Programs, run: &std::path::Path) -> Command {
    let mut command = programs.command("irtune");
    command.args(["serve", "--listen", "127.0.0.1:0", "--run"]).arg(run);
    command
}

//! Damaged files by the number.
//!
//! A *target* is something that irtune reads. A *case* is a number: it decides which file of the target is changed and
//! how, so that the same case does the same thing every time. What is changed must be read, or refused with a message;
//! a panic, an end of the process, more than 2 GB of memory and more than ten seconds are *findings*, and so is a message
//! that says nothing, is endless, or holds control characters.
//!
//! ```text
//! irtune-fuzz all --count 10000           every target, that many cases each
//! irtune-fuzz gguf --first 5000 --count 1 one case again
//! irtune-fuzz seeds FOLDER                the whole files, a folder a target of `coverage/`
//! ```
//!
//! The files are made when the program starts, by `irtune-testing` and by runs of a few steps. A process of its own works
//! through the cases of a target ([`worker`]); another one watches it, and starts the next when it dies ([`watch`]).
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_macros, reason = "a program for developers, which says what it found")]

mod in_memory;
mod message;
mod mutate;
mod place;
mod random;
mod seeds;
mod target;
mod targets;
mod watch;
mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;

use crate::target::{Cases, Target};

/// Reads damaged files, and tells what goes wrong.
#[derive(Parser)]
struct Arguments {
    /// A target, or `all`; or `seeds`, to write whole files for libFuzzer
    target: String,
    /// Where `seeds` are written
    folder: Option<PathBuf>,
    /// The number of the first case
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many cases; as many as make a short test when not given
    #[arg(long)]
    count: Option<u64>,
    /// Where the files of a worker lie; without it, the program watches workers of its own
    #[arg(long, hide = true)]
    worker: Option<PathBuf>,
    /// Keep the damaged files of the last case in this folder
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { target, folder, first, count, worker, keep } = Arguments::parse();
    if target == "seeds" {
        let folder = folder.context("name the folder that the seeds are to be written to")?;
        seeds::for_coverage(&folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = targets::named(&target)?;
    let cases = |target: &Target| Cases { first, count: count.unwrap_or(target.usual) };
    if let Some(folder) = worker {
        let [target] = chosen[..] else { anyhow::bail!("a worker has one target") };
        worker::work(target, cases(target), &folder, keep.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    }
    let whole = tempfile::Builder::new().prefix(message::PLACE).tempdir()?;
    seeds::write(whole.path())?;
    let mut findings = 0;
    for target in chosen {
        findings += watch::watch(target, cases(target), whole.path(), keep.as_deref())?;
    }
    println!("{findings} findings");
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

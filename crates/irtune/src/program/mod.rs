//! What only a program has: arguments, the environment, standard output, progress, signals and exit codes.

mod args;
mod commands;
mod environment;
mod failure;
mod flags;
mod git;
mod hints;
mod interrupt;
mod output;
mod panics;
mod progress;
#[cfg(test)]
mod recipes;
#[cfg(test)]
mod reference;
mod standing;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::filter::LevelFilter;

use crate::program::output::{StandardError, say};
use args::Arguments;
use environment::Environment;

/// Runs the command that was asked for, and says how it ended.
pub fn main() -> ExitCode {
    panics::tell_own_ones();
    let arguments = Arguments::parse();
    let level = match arguments.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(|| StandardError).with_target(false).init();
    match commands::run(arguments, &Environment::read()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&failure.message());
            failure.code()
        }
    }
}

//! The `irtune` command line.
#![forbid(unsafe_code)]

mod args;
mod base;
mod commands;
mod compare;
mod environment;
mod failure;
mod hints;
mod interrupt;
mod recorded_scores;
mod settings;
mod show;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::filter::LevelFilter;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    let level = match arguments.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false).init();
    match commands::run(arguments, &environment::Environment::read()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{}", failure.message());
            failure.code()
        }
    }
}

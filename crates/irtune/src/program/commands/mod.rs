//! One file a command.

mod eval;
mod folds;
mod inference;
mod inspect;
mod inspect_base;
mod inspect_run;
mod merge;
mod predict;
mod prompt;
mod quickstart;
mod replay;
pub mod train;

use std::io::Write as _;
use std::path::PathBuf;

use crate::args::{Arguments, Command};
use crate::base::{self, Origin, Reference};
use crate::environment::Environment;
use crate::failure::Failure;

/// Runs the command that was asked for.
///
/// # Errors
/// [`Failure`], which knows what to say and how the process ends.
pub fn run(arguments: Arguments, environment: &Environment) -> Result<(), Failure> {
    match arguments.command {
        Command::Quickstart(arguments) => quickstart::run(&arguments, environment),
        Command::Train(arguments) => train::run(&arguments, environment),
        Command::Compare(arguments) => crate::compare::run(&arguments, environment),
        Command::Eval(arguments) => eval::run(&arguments, environment),
        Command::Predict(arguments) => predict::run(&arguments, environment),
        Command::Prompt(arguments) => prompt::run(&arguments, environment),
        Command::Merge(arguments) => merge::run(&arguments, environment),
        Command::Inspect(arguments) => inspect::run(&arguments, environment),
        Command::Replay(arguments) => replay::run(&arguments),
    }
}

/// Finds a base, and says where when it is not simply the path that was given.
pub fn locate(reference: &Reference, environment: &Environment) -> Result<PathBuf, Failure> {
    let located = base::locate(reference, environment)?;
    if located.origin != Origin::Path {
        eprintln!("Base {reference}: {} ({})", located.path.display(), located.origin);
    }
    Ok(located.path)
}

/// Writes to standard output; a reader that has gone away is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(broken_pipe)
}

/// Tells a reader that has gone away from other failures of writing.
fn broken_pipe(error: std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::NoReader,
        _ => anyhow::Error::new(error).context("standard output cannot be written").into(),
    }
}

//! One file a command.

mod annotate;
mod annotate_folders;
mod baseline;
mod combine;
mod compare;
mod completions;
mod convert;
mod data;
mod eval;
mod explain;
mod folds;
mod inference;
mod inspect;
mod merge;
mod models;
mod of_run;
mod plan;
mod predict;
mod prompt;
mod push;
mod quantize;
mod quickstart;
mod replay;
mod serve;
mod train;

use std::path::{Path, PathBuf};

use crate::program::args::{Arguments, Command};
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::flags::Flags;
use crate::program::output::say_line;
use crate::program::progress::Fetching;
use irtune::settings::Sources;
use irtune_hub::{Origin, Reference, System};

/// Runs the command that was asked for.
///
/// # Errors
/// [`Failure`], which knows what to say and how the process ends.
pub fn run(arguments: Arguments, environment: &Environment) -> Result<(), Failure> {
    match arguments.command {
        Command::Quickstart(arguments) => quickstart::run(&arguments, environment),
        Command::Train(arguments) => train::run(&arguments, environment),
        Command::Models(arguments) => models::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments, environment),
        Command::Baseline(arguments) => baseline::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments, environment),
        Command::Data(arguments) => data::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments, environment),
        Command::Predict(arguments) => predict::run(&arguments, environment),
        Command::Annotate(arguments) => annotate::run(&arguments, environment),
        Command::Explain(arguments) => explain::run(&arguments, environment),
        Command::Serve(arguments) => serve::run(&arguments, environment),
        Command::Prompt(arguments) => prompt::run(&arguments, environment),
        Command::Combine(arguments) => combine::run(&arguments, environment),
        Command::Merge(arguments) => merge::run(&arguments, environment),
        Command::Push(arguments) => push::run(&arguments, environment),
        Command::Quantize(arguments) => quantize::run(&arguments, environment),
        Command::Inspect(arguments) => inspect::run(&arguments, environment),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}

/// Everything that is said about the settings of a run.
pub fn sources<C>(
    config: Option<&Path>,
    flags: &Flags<C>,
    set: &[String],
    environment: &Environment,
) -> Sources {
    let mut sources = Sources::default();
    if let Some(file) = config {
        sources.file(file);
    }
    sources.variables(environment.iter());
    for (setting, text) in &flags.0 {
        sources.flag(setting, text);
    }
    set.iter().for_each(|assignment| sources.set(assignment));
    sources
}

/// Finds a base, and says where when it is not simply the path that was given.
pub fn locate(reference: &Reference, environment: &Environment) -> Result<PathBuf, Failure> {
    let located = irtune_hub::locate(reference, &environment.hub(), &System, &mut Fetching::default())?;
    if located.origin != Origin::Path {
        say_line(&format!("Base {reference}: {} ({})", located.path.display(), located.origin));
    }
    Ok(located.path)
}

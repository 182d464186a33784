//! `irtune train`

use std::path::{Path, PathBuf};

use irtune_train::{RunFolder, Summary, TrainOutcome};

use super::{folds, sources};
use crate::program::args::TrainArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::interrupt;
use crate::program::output::{print_json, say};
use crate::program::progress::Progress;
use crate::program::standing::say_standing;
use irtune::settings::{self, Resolved};
use irtune::show::report;

/// Trains as asked, or continues a run.
pub fn run(arguments: &TrainArguments, environment: &Environment) -> Result<(), Failure> {
    let said = || sources(arguments.config.as_deref(), &arguments.settings, &arguments.set, environment);
    let (folder, summary) = match (&arguments.resume, arguments.folds) {
        (Some(folder), _) if irtune_train::is_cross_validation(folder) => {
            return folds::resume(folder, arguments.json);
        }
        (Some(folder), _) => (folder.clone(), resume(folder)?),
        (None, Some(folds)) => {
            return folds::run(said(), folds, arguments.json, environment);
        }
        (None, None) => {
            let resolved = settings::resolve(said()).map_err(Failure::Settings)?;
            start(resolved, environment)?
        }
    };
    say(&report::summary(&RunFolder::open(&folder)?, &summary)?);
    say_standing(&summary);
    if arguments.json {
        print_json(&summary)?;
    } else {
        say(&report::next_steps(&folder));
    }
    Ok(())
}

/// Finds the base and trains; gives the run's folder and what came out.
pub fn start(resolved: Resolved, environment: &Environment) -> Result<(PathBuf, Summary), Failure> {
    let base = super::locate(&resolved.base, environment)?;
    let request = resolved.request(&base);
    let interrupt = interrupt::listen("finishing this step and saving")?;
    let mut progress = Progress::new();
    let outcome = irtune_train::train(&request, &mut progress, interrupt);
    progress.finish();
    Ok((request.out.clone(), finished(outcome?, &request.out)?))
}

fn resume(folder: &Path) -> Result<Summary, Failure> {
    let interrupt = interrupt::listen("finishing this step and saving")?;
    let mut progress = Progress::new();
    let outcome = irtune_train::resume(folder, &mut progress, interrupt);
    progress.finish();
    finished(outcome?, folder)
}

fn finished(outcome: TrainOutcome, folder: &Path) -> Result<Summary, Failure> {
    match outcome {
        TrainOutcome::Finished(summary) => Ok(*summary),
        TrainOutcome::Interrupted { step, .. } => {
            Err(Failure::Interrupted { saved: Some((folder.to_owned(), step)) })
        }
    }
}

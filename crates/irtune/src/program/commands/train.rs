//! `irtune train`

use std::path::{Path, PathBuf};

use irtune_train::{RunFolder, Summary, TrainOutcome, TrainRequest};

use super::folds;
use crate::args::TrainArguments;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::interrupt;
use crate::settings::{self, Resolved, Sources};
use crate::show::progress::Progress;
use crate::show::report;

/// Trains as asked, or continues a run.
pub fn run(arguments: &TrainArguments, environment: &Environment) -> Result<(), Failure> {
    let (folder, summary) = match (&arguments.resume, arguments.folds) {
        (Some(folder), _) if irtune_train::is_cross_validation(folder) => {
            return folds::resume(folder, arguments.json);
        }
        (Some(folder), _) => (folder.clone(), resume(folder)?),
        (None, Some(folds)) => {
            return folds::run(sources(arguments, environment), folds, arguments.json, environment);
        }
        (None, None) => {
            let resolved = settings::resolve(sources(arguments, environment)).map_err(Failure::Settings)?;
            start(resolved, environment)?
        }
    };
    eprint!("{}", report::summary(&RunFolder::open(&folder)?, &summary)?);
    if arguments.json {
        super::print(&(serde_json::to_string_pretty(&summary)? + "\n"))?;
    } else {
        eprint!("{}", report::next_steps(&folder));
    }
    Ok(())
}

/// Everything that is said about the settings.
fn sources(arguments: &TrainArguments, environment: &Environment) -> Sources {
    let mut sources = Sources::default();
    if let Some(file) = &arguments.config {
        sources.file(file);
    }
    sources.environment(environment);
    for (setting, text) in &arguments.settings.0 {
        sources.flag(setting, text);
    }
    arguments.set.iter().for_each(|assignment| sources.set(assignment));
    sources
}

/// Finds the base and trains; gives the run's folder and what came out.
pub fn start(resolved: Resolved, environment: &Environment) -> Result<(PathBuf, Summary), Failure> {
    let base = super::locate(&resolved.base, environment)?;
    let request = request(&resolved, &base);
    let interrupt = interrupt::listen("finishing this step and saving")?;
    let mut progress = Progress::new();
    let outcome = irtune_train::train(&request, &mut progress, interrupt);
    progress.finish();
    Ok((request.out.clone(), finished(outcome?, &request.out)?))
}

/// What the settings ask for, on the base that was found.
pub fn request(resolved: &Resolved, base: &Path) -> TrainRequest {
    TrainRequest {
        base: base.to_owned(),
        base_name: resolved.base.public_name(),
        train: resolved.train.clone(),
        validation: resolved.validation.clone(),
        test: resolved.test.clone(),
        columns: resolved.columns.clone(),
        out: resolved.out.clone(),
        settings: resolved.training.clone(),
    }
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

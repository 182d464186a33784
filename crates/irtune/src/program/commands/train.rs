//! `irtune train`

use std::path::{Path, PathBuf};

use irtune_hub::Reference;
use irtune_train::{RunFolder, Summary, TrainOutcome};

use super::{folds, sources};
use crate::program::args::TrainArguments;
use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::flags::BASE;
use crate::program::hints::resumed;
use crate::program::interrupt;
use crate::program::output::{print_json, say, say_line};
use crate::program::progress::Progress;
use crate::program::standing::say_standing;
use irtune::settings::{self, Origin, Problem, Problems, Resolved};
use irtune::show::report;

/// Trains as asked, or continues a run.
pub fn run(arguments: &TrainArguments, environment: &Environment) -> Result<(), Failure> {
    let said = || sources(arguments.config.as_deref(), &arguments.settings, &arguments.set, environment);
    if arguments.resume.is_some() {
        check_resumed(arguments)?;
        say_unread(environment);
    }
    let base = moved_base(arguments, environment)?;
    let (folder, summary) = match (&arguments.resume, arguments.folds) {
        (Some(folder), _) => {
            if irtune_train::is_cross_validation(folder) {
                return folds::resume(folder, base.as_deref(), arguments.json);
            }
            (folder.clone(), resume(folder, base.as_deref())?)
        }
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
        say(&report::next_steps(&folder, base.as_deref()));
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

/// Confirms that nothing but the place of the base is said of a run that is continued.
fn check_resumed(arguments: &TrainArguments) -> Result<(), Failure> {
    let given = arguments.settings.0.iter().filter(|(setting, _)| setting.name != BASE);
    let problems: Vec<Problem> = given
        .map(|(setting, _)| {
            let problem =
                Problem::at(&Origin::Flag(setting.flag()), "a run is continued with its own settings");
            problem.hint("leave it out, or train into another folder")
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Failure::Settings(Problems(problems))) }
}

/// Says which variables a run that is continued doesn't read.
fn say_unread(environment: &Environment) {
    let names: Vec<&str> =
        environment.iter().map(|(name, _)| name).filter(|name| settings::is_setting_variable(name)).collect();
    if !names.is_empty() {
        say_line(&format!(
            "note: a run is continued with its own settings; {} is not read",
            names.join(", ")
        ));
    }
}

/// Where the base of a run that is continued lies now, where that is said.
fn moved_base(arguments: &TrainArguments, environment: &Environment) -> Result<Option<PathBuf>, Failure> {
    if arguments.resume.is_none() {
        return Ok(None);
    }
    let base = arguments.settings.0.iter().find(|(setting, _)| setting.name == BASE);
    base.map(|(_, base)| super::locate(&base.parse::<Reference>()?, environment)).transpose()
}

fn resume(folder: &Path, base: Option<&Path>) -> Result<Summary, Failure> {
    let interrupt = interrupt::listen("finishing this step and saving")?;
    let mut progress = Progress::new();
    let outcome = irtune_train::resume_on(folder, base, &mut progress, interrupt);
    progress.finish();
    finished(outcome.map_err(|error| resumed(error, base))?, folder)
}

fn finished(outcome: TrainOutcome, folder: &Path) -> Result<Summary, Failure> {
    match outcome {
        TrainOutcome::Finished(summary) => Ok(*summary),
        TrainOutcome::Interrupted { step, .. } => {
            Err(Failure::Interrupted { saved: Some((folder.to_owned(), step)) })
        }
    }
}

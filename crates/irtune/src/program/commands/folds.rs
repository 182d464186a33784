//! `irtune train --folds N`: a cross-validation.

use std::path::{Path, PathBuf};

use irtune_train::{FoldsOutcome, FoldsSummary};
use toml::Value;

use crate::program::environment::Environment;
use crate::program::failure::Failure;
use crate::program::hints::resumed;
use crate::program::interrupt;
use crate::program::output::{print_json, say};
use crate::program::progress::Progress;
use irtune::settings::{self, Problem, Sources, setting, unused};
use irtune::show::folds::summary;

/// Trains a run for each part, or those that are missing in the folder.
pub fn run(
    mut sources: Sources,
    folds: u16,
    as_json: bool,
    environment: &Environment,
) -> Result<(), Failure> {
    // Its own folder is checked with the cross-validation, where runs may lie in it already.
    let out = match sources.remove("out") {
        Some((Value::String(out), _)) => PathBuf::from(out),
        _ => unused(Path::new("runs"), "folds"),
    };
    if let Some((_, origin)) = sources.remove("fold") {
        let problem = Problem::at(&origin, "--folds makes a run for every part");
        sources.refuse(problem.hint("leave one of the two out"));
    }
    if let Some(fold) = setting("fold") {
        sources.flag(fold, &format!("1/{folds}"));
    }
    let mut resolved = settings::resolve(sources).map_err(Failure::Settings)?;
    resolved.training.fold = None;
    let base = super::locate(&resolved.base, environment)?;
    resolved.out = out;
    let request = resolved.request(&base);
    let interrupt = interrupt::listen("finishing this step and saving")?;
    let mut progress = Progress::new();
    let outcome = irtune_train::cross_validate(&request, folds.into(), &mut progress, interrupt);
    progress.finish();
    finish(outcome?, &request.out, as_json)
}

/// Continues a cross-validation; `base` says where its base lies now, if not where it was.
pub fn resume(folder: &Path, base: Option<&Path>, as_json: bool) -> Result<(), Failure> {
    let interrupt = interrupt::listen("finishing this step and saving")?;
    let mut progress = Progress::new();
    let outcome = irtune_train::resume_cross_validation(folder, base, &mut progress, interrupt);
    progress.finish();
    finish(outcome.map_err(|error| resumed(error, base))?, folder, as_json)
}

fn finish(outcome: FoldsOutcome, folder: &Path, as_json: bool) -> Result<(), Failure> {
    let found: Box<FoldsSummary> = match outcome {
        FoldsOutcome::Finished(found) => found,
        FoldsOutcome::Interrupted { step, .. } => {
            return Err(Failure::Interrupted { saved: Some((folder.to_owned(), step)) });
        }
    };
    say(&summary(&found, folder));
    if as_json {
        print_json(&found)?;
    }
    Ok(())
}

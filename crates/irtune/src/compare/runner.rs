//! Runs the cells that are not finished, one after the other.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use irtune_model::Base;
use irtune_train::{RunFolder, TrainOutcome, reset_peak};

use super::cell::Cell;
use super::check::{Mismatch, mismatches};
use super::overall::Overall;
use crate::commands::train;
use crate::failure::Failure;
use crate::settings::{self, Problem, Problems, Resolved};

/// A cell, and what a run in it would be.
pub struct Planned {
    /// The cell.
    pub cell: Cell,
    /// Its run folder.
    pub path: PathBuf,
    /// The run's settings.
    pub resolved: Resolved,
}

/// How far a cell's run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing.
    Absent,
    /// It can be resumed.
    Begun,
    /// It is finished.
    Finished,
}

impl Planned {
    /// How far its run is.
    ///
    /// # Errors
    /// When something else is in its folder.
    pub fn progress(&self) -> Result<Progress, Failure> {
        if RunFolder::check_free(&self.path).is_ok() {
            return Ok(Progress::Absent);
        }
        let finished = RunFolder::open(&self.path)?.summary()?.is_some();
        Ok(if finished { Progress::Finished } else { Progress::Begun })
    }
}

/// Resolves the settings of every cell.
///
/// # Errors
/// [`Failure::Settings`] with every problem of every cell, each said once.
pub fn plan(cells: Vec<Cell>, out: &Path) -> Result<Vec<Planned>, Failure> {
    let (mut planned, mut problems) = (Vec::new(), Vec::<Problem>::new());
    for cell in cells {
        let path = cell.path(out);
        match settings::resolve(cell.sources()) {
            Ok(mut resolved) => {
                resolved.out.clone_from(&path);
                planned.push(Planned { cell, path, resolved });
            }
            Err(Problems(found)) => {
                for problem in found {
                    if !problems.contains(&problem) {
                        problems.push(problem);
                    }
                }
            }
        }
    }
    match problems.is_empty() {
        true => Ok(planned),
        false => Err(Failure::Settings(Problems(problems))),
    }
}

/// Confirms that every run already in a cell is the one that the cell asks for.
///
/// # Errors
/// [`Failure::Settings`] with everything in which they differ.
pub fn check(planned: &[Planned], base: Option<&Path>) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut base_source = None;
    for Planned { path, resolved, .. } in planned {
        if RunFolder::check_free(path).is_ok() {
            continue;
        }
        let run = RunFolder::open(path)?;
        if base_source.is_none() {
            base_source = base.map(|base| Ok::<_, Failure>(Base::open(base)?.source)).transpose()?;
        }
        for Mismatch { key, run, wanted } in mismatches(&run, resolved, base_source.as_ref())? {
            let message = format!("{}: its run has {key} = {run}, asked for is {wanted}", path.display());
            problems.push(Problem::of_all(message).hint("remove that folder, or compare into another --out"));
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(Failure::Settings(Problems(problems))),
    }
}

/// Trains what is not finished. A run that fails is told of, and the others go on; their names are the result.
///
/// # Errors
/// [`Failure::Compare`] on an interrupt, after saving.
pub fn run(
    planned: &[Planned],
    base: &Path,
    out: &Path,
    interrupt: &AtomicBool,
) -> Result<Vec<String>, Failure> {
    let mut overall = Overall::new(planned.len());
    let mut failed = Vec::new();
    for (index, Planned { cell, path, resolved }) in planned.iter().enumerate() {
        let progress = planned[index].progress()?;
        if progress == Progress::Finished {
            overall.already(&RunFolder::open(path)?)?;
            continue;
        }
        let interrupted = |step: Option<u64>| Failure::Compare {
            out: out.to_owned(),
            cell: step.map(|step| (cell.name.clone(), step)),
        };
        if interrupt.load(Ordering::Relaxed) {
            return Err(interrupted(None));
        }
        overall.begin(&cell.name);
        // So that the run's peak is its own; where that is not possible it is the highest so far.
        reset_peak();
        let outcome = match progress {
            Progress::Begun => irtune_train::resume(path, &mut overall, interrupt),
            _ => irtune_train::train(&train::request(resolved, base), &mut overall, interrupt),
        };
        match outcome {
            Ok(TrainOutcome::Finished(summary)) => overall.done(&summary),
            Ok(TrainOutcome::Interrupted { step, .. }) => {
                overall.finish();
                return Err(interrupted(Some(step)));
            }
            Err(error) => {
                overall.failed(&cell.name, &Failure::from(error).message());
                failed.push(cell.name.clone());
            }
        }
    }
    overall.finish();
    Ok(failed)
}

//! Runs the cells that are not finished, one after the other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use irtune_files::Disk;
use irtune_model::{Base, ModelError};
use irtune_train::{RunFolder, Summary, TrainOutcome, reset_peak};

use super::cell::Cell;
use super::check::{Mismatch, linear_mismatches, mismatches};
use super::definition::TrainSize;
use super::{CellError, CompareError, CompareObserver};
use crate::settings::{Problem, Problems, Resolved, Sources};

/// A cell, and what a run in it would be.
#[derive(Debug)]
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
    pub fn progress(&self) -> Result<Progress, CompareError> {
        if RunFolder::check_free(&self.path).is_ok() {
            return Ok(Progress::Absent);
        }
        let finished = RunFolder::open(&self.path)?.summary()?.is_some();
        Ok(if finished { Progress::Finished } else { Progress::Begun })
    }
}

/// Resolves the settings of every cell by `resolve`.
///
/// # Errors
/// [`CompareError::Settings`] with every problem of every cell, each said once.
pub fn plan(
    cells: Vec<Cell>,
    out: &Path,
    resolve: impl Fn(Sources) -> Result<Resolved, Problems>,
) -> Result<Vec<Planned>, CompareError> {
    let (mut planned, mut problems) = (Vec::new(), Vec::<Problem>::new());
    for cell in cells {
        let path = cell.path(out);
        match resolve(cell.sources()) {
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
    CompareError::of(problems)?;
    Ok(planned)
}

/// Confirms that every run already in a cell is the one that the cell asks for, and with a base, which is for running,
/// that there are pairs enough for those to come.
///
/// # Errors
/// [`CompareError::Settings`] with everything in which they differ, and every size that there aren't pairs for.
pub fn check(planned: &[Planned], base: Option<&Path>) -> Result<(), CompareError> {
    let mut problems = Vec::new();
    let mut base_source = None;
    let mut sizes = BTreeSet::new();
    for Planned { path, resolved, cell } in planned {
        if RunFolder::check_free(path).is_ok() {
            let smaller = cell.train_size != TrainSize::All;
            if base.is_some() && smaller && sizes.insert((&cell.corpus, cell.train_size, cell.fold)) {
                let pairs = resolved.request(path).check_pairs();
                problems.extend(pairs.err().map(|error| Problem::of_all(format!("{}: {error}", cell.name))));
            }
            continue;
        }
        let run = RunFolder::open(path)?;
        if cell.linear {
            problems
                .extend(linear_mismatches(&run, resolved)?.iter().map(|mismatch| problem(path, mismatch)));
            continue;
        }
        if base_source.is_none() {
            base_source = base
                .map(|base| Base::open(base).map(|base| base.source))
                .transpose()
                .map_err(ModelError::from)?;
        }
        let found = mismatches(&run, resolved, base_source.as_ref())?;
        problems.extend(found.iter().map(|mismatch| problem(path, mismatch)));
    }
    CompareError::of(problems)
}

fn problem(path: &Path, mismatch: &Mismatch) -> Problem {
    let Mismatch { key, run, wanted } = mismatch;
    let message = format!("{}: its run has {key} = {run}, asked for is {wanted}", path.display());
    Problem::of_all(message).hint("remove that folder, or compare into another --out")
}

/// Trains what is not finished. A run that fails is told of, and the others go on; their names are the result.
///
/// # Errors
/// [`CompareError::Interrupted`] on an interrupt, after saving.
pub fn run(
    planned: &[Planned],
    base: &Path,
    observer: &mut dyn CompareObserver,
    interrupt: &AtomicBool,
) -> Result<Vec<String>, CompareError> {
    observer.on_runs(planned.len());
    let failed = run_all(planned, base, observer, interrupt);
    observer.on_runs_end();
    failed
}

/// The finished run of another cell that a cell's run can be made of in seconds: the same one, not yet combined with a
/// linear model.
fn alone<'a>(
    planned: &'a [Planned],
    plan: &Planned,
    progress: Progress,
) -> Result<Option<&'a Planned>, CompareError> {
    if progress != Progress::Absent || !plan.resolved.training.stack {
        return Ok(None);
    }
    let mut wanted = plan.resolved.clone();
    wanted.training.stack = false;
    for other in planned.iter().filter(|other| !other.cell.linear) {
        wanted.out.clone_from(&other.path);
        if other.resolved == wanted && other.progress()? == Progress::Finished {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

fn run_all(
    planned: &[Planned],
    base: &Path,
    observer: &mut dyn CompareObserver,
    interrupt: &AtomicBool,
) -> Result<Vec<String>, CompareError> {
    let mut failed = Vec::new();
    for plan in planned {
        let Planned { cell, path, resolved } = plan;
        let progress = plan.progress()?;
        if progress == Progress::Finished {
            let run = RunFolder::open(path)?;
            if let Some(summary) = run.summary()? {
                run.tidy(&Disk, &summary)?;
                observer.on_run_end(&summary);
            }
            continue;
        }
        if interrupt.load(Ordering::Relaxed) {
            return Err(CompareError::Interrupted { run: None });
        }
        observer.on_run(&cell.name);
        // So that the run's peak is its own; where that is not possible it is the highest so far.
        reset_peak();
        let finished = |summary: Summary| TrainOutcome::Finished(Box::new(summary));
        let outcome: Result<TrainOutcome, CellError> = if cell.linear {
            let trained = irtune_train::train_baseline(&resolved.baseline_request(), observer);
            trained.map(finished).map_err(CellError::from)
        } else if let Some(alone) = alone(planned, plan, progress)? {
            let combined = irtune_train::combine(&alone.path, path, Some(base.to_owned()), observer);
            combined.map(finished).map_err(CellError::from)
        } else if progress == Progress::Begun {
            irtune_train::resume(path, observer, interrupt).map_err(CellError::from)
        } else {
            irtune_train::train(&resolved.request(base), observer, interrupt).map_err(CellError::from)
        };
        match outcome {
            Ok(TrainOutcome::Finished(summary)) => observer.on_run_end(&summary),
            Ok(TrainOutcome::Interrupted { step, .. }) => {
                return Err(CompareError::Interrupted { run: Some((cell.name.clone(), step)) });
            }
            Err(error) => {
                observer.on_run_failure(&cell.name, error);
                failed.push(cell.name.clone());
            }
        }
    }
    Ok(failed)
}

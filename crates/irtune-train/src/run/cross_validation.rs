//! Cross-validation: a run for each fold of the training pairs, which is its test set.
//!
//! The runs lie in one folder, `fold-1`, `fold-2` and so on, beside `plan.json`, what was asked for, and `folds.json`,
//! what came out.

use super::TrainOutcome;
use super::folds_error::FoldsError;
use super::folds_summary::{FoldsSummary, summarize};
use super::notice::Notice;
use super::observer::Observer;
use super::piped::Piped;
use super::request::{TrainRequest, absolute};
use super::train::{resume_on, train};
use crate::error::TrainError;
use crate::folder::RunFolder;
use crate::folder::create::{create_whole, write_json};
use crate::folder::error::RunFolderError;
use crate::folder::sources::{PairSources, StoredSource, keep};
use crate::settings::{Fold, TrainSettings};
use irtune_data::Columns;
use irtune_files::Disk;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

const PLAN: &str = "plan.json";
const RESULT: &str = "folds.json";

/// How a cross-validation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum FoldsOutcome {
    /// All runs are finished.
    Finished(Box<FoldsSummary>),
    /// It was interrupted and can be continued.
    Interrupted {
        /// The fold whose run was interrupted.
        fold: Fold,
        /// Steps that run has completed.
        step: u64,
    },
}

/// What was asked for: `plan.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    pub(super) folds: usize,
    base: PathBuf,
    base_name: String,
    pub(super) train: StoredSource,
    validation: Option<StoredSource>,
    pub(super) columns: Columns,
    pub(super) settings: TrainSettings,
}

/// Whether a cross-validation was begun in a folder.
pub fn is_cross_validation(folder: &Path) -> bool {
    // What can't be taken up is told by whoever goes on to use the folder.
    let _ = irtune_files::recover_folder(folder);
    folder.join(PLAN).is_file()
}

/// Trains one run after the other, each tested on another fold of the training pairs; `request.out` is the folder of
/// all of them.
///
/// Runs that are finished in it are kept, one that was interrupted goes on where it stood. The division depends on the
/// training pairs alone, so every seed and every method has the same folds.
///
/// # Errors
/// When test pairs or a fold are given, when the folder holds something else, or when a run fails.
pub fn cross_validate(
    request: &TrainRequest,
    folds: usize,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<FoldsOutcome, TrainError> {
    let problems = request.settings.problems();
    if !problems.is_empty() {
        return Err(TrainError::Settings { problems });
    }
    let given = [("test", request.test.is_some()), ("fold", request.settings.fold.is_some())];
    if let Some((given, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
        return Err(FoldsError::TestGiven { given }.into());
    }
    if folds < 2 {
        return Err(FoldsError::Count { folds }.into());
    }
    let mut settings = request.settings.clone();
    settings.class_weights = settings.class_weights.loaded()?;
    let sources = request.sources()?;
    let PairSources { train, validation, columns, .. } = sources.stored(&request.columns)?;
    let plan = Plan {
        folds,
        base: absolute(&request.base)?,
        base_name: request.base_name.clone(),
        train,
        validation,
        columns,
        settings,
    };
    let folder = absolute(&request.out)?;
    let mut plan = plan;
    let piped = Piped::of(&mut plan.settings, &folder)?;
    if is_cross_validation(&folder) {
        let begun = read_plan(&folder)?;
        begun.check()?;
        if let Some(what) = difference(&begun, &plan) {
            return Err(FoldsError::Changed { path: request.out.clone(), what }.into());
        }
    } else {
        create_whole(&Disk, &folder, |writing| {
            keep(&Disk, writing, &sources.kept())?;
            piped.write(&Disk, writing)?;
            write_json(&Disk, &writing.join(PLAN), &plan)
        })?;
    }
    go_on(&plan, &folder, None, observer, interrupt)
}

/// Continues a cross-validation as it was begun; `base` says where its base lies now, if not where it was.
///
/// # Errors
/// When there is none in the folder, or when a run fails.
pub fn resume_cross_validation(
    folder: &Path,
    base: Option<&Path>,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<FoldsOutcome, TrainError> {
    let folder = absolute(folder)?;
    let plan = read_plan(&folder)?;
    plan.check()?;
    go_on(&plan, &folder, base, observer, interrupt)
}

fn go_on(
    plan: &Plan,
    folder: &Path,
    base: Option<&Path>,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<FoldsOutcome, TrainError> {
    let mut runs = Vec::new();
    for fold in (1..=plan.folds).filter_map(|part| Fold::new(part, plan.folds)) {
        let out = folder.join(format!("fold-{}", fold.part()));
        let begun = RunFolder::open(&out).ok();
        let finished = begun.as_ref().map(RunFolder::summary).transpose()?.flatten();
        if let (Some(run), Some(summary)) = (&begun, &finished) {
            run.tidy(&Disk, summary)?;
        }
        let summary = match finished {
            Some(summary) => {
                observer.on_notice(&Notice::FoldKept { fold });
                summary
            }
            None => {
                let outcome = match begun {
                    Some(_) => resume_on(&out, base, observer, interrupt)?,
                    None => {
                        let request = plan.request(fold, folder, &out)?;
                        let base = base.map_or_else(|| Ok(plan.base.clone()), absolute)?;
                        check_runs(plan, folder, &base)?;
                        train(&TrainRequest { base, ..request }, observer, interrupt)?
                    }
                };
                match outcome {
                    TrainOutcome::Finished(summary) => *summary,
                    TrainOutcome::Interrupted { step, .. } => {
                        return Ok(FoldsOutcome::Interrupted { fold, step });
                    }
                }
            }
        };
        runs.push((fold, RunFolder::open(&out)?, summary));
    }
    let summary = summarize(&runs)?;
    let path = folder.join(RESULT);
    irtune_files::replace_json(&Disk, &path, &summary).map_err(FoldsError::from)?;
    Ok(FoldsOutcome::Finished(Box::new(summary)))
}

/// Confirms that base and prompt are those that the runs so far were begun with.
fn check_runs(plan: &Plan, folder: &Path, base: &Path) -> Result<(), TrainError> {
    let failed = |error| FoldsError::Changes(Box::new(error));
    let runs = (1..=plan.folds).filter_map(|part| RunFolder::open(&folder.join(format!("fold-{part}"))).ok());
    for run in runs {
        let changed = run.changed_prompt_files(&plan.settings).map_err(failed)?;
        if let Some((_, path)) = changed.into_iter().next() {
            return Err(failed(RunFolderError::FileChanged { path }).into());
        }
        run.sources().map_err(failed)?.open_base::<TrainError>(Some(base))?;
    }
    Ok(())
}

impl Plan {
    /// Confirms that the files hold what they held when it was begun: every run divides the same pairs.
    fn check(&self) -> Result<(), FoldsError> {
        [Some(&self.train), self.validation.as_ref()]
            .into_iter()
            .flatten()
            .try_for_each(StoredSource::check)
            .map_err(|source| FoldsError::Changes(Box::new(source)))
    }

    /// What an earlier version has written of it.
    fn without_checksums(&self) -> Plan {
        let mut plan = self.clone();
        for source in [Some(&mut plan.train), plan.validation.as_mut()].into_iter().flatten() {
            if let StoredSource::File(stored) = source {
                stored.sha256 = None;
            }
        }
        plan
    }

    /// One run of it; rows that a program gave are kept below `folder`.
    fn request(&self, fold: Fold, folder: &Path, out: &Path) -> Result<TrainRequest, TrainError> {
        let validation = self.validation.as_ref().map(|source| source.load(folder));
        Ok(TrainRequest {
            base: self.base.clone(),
            base_name: self.base_name.clone(),
            train: self.train.load(folder)?,
            validation: validation.transpose()?,
            test: None,
            columns: self.columns.clone(),
            out: out.to_owned(),
            settings: TrainSettings { fold: Some(fold), ..self.settings.clone() },
        })
    }
}

pub(super) fn read_plan(folder: &Path) -> Result<Plan, FoldsError> {
    let path = folder.join(PLAN);
    let bytes = match irtune_files::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(FoldsError::Read { path, source }),
    };
    serde_json::from_slice(&bytes).map_err(|source| FoldsError::Json { path, source })
}

/// The first thing in which two plans differ, by its name as a setting.
fn difference(before: &Plan, now: &Plan) -> Option<String> {
    let fields = |plan: &Plan| match serde_json::to_value(plan.without_checksums()) {
        Ok(serde_json::Value::Object(mut fields)) => {
            if let Some(serde_json::Value::Object(settings)) = fields.remove("settings") {
                fields.extend(settings);
            }
            fields
        }
        _ => serde_json::Map::new(),
    };
    let (before, now) = (fields(before), fields(now));
    let names = before.keys().chain(now.keys());
    names.into_iter().find(|name| before.get(*name) != now.get(*name)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::stored_file::StoredFile;

    #[test]
    fn plans_differ_in_what_is_named() {
        let plan = Plan {
            folds: 5,
            base: "base".into(),
            base_name: "base".to_owned(),
            train: StoredSource::File(StoredFile {
                file: "train.jsonl".into(),
                sha256: Some("00".to_owned()),
            }),
            validation: None,
            columns: Columns::default(),
            settings: TrainSettings::default(),
        };
        assert_eq!(difference(&plan, &plan), None);
        assert_eq!(difference(&plan.without_checksums(), &plan), None);
        let named = |other: Plan| difference(&plan, &other);
        assert_eq!(named(Plan { folds: 4, ..plan.clone() }).as_deref(), Some("folds"));
        let settings = TrainSettings { threads: Some(2), ..TrainSettings::default() };
        assert_eq!(named(Plan { settings, ..plan.clone() }).as_deref(), Some("threads"));
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    }
}

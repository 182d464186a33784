//! Cross-validation: a run for each part of the training file, which is its test set.
//!
//! The runs lie in one folder, `fold-1`, `fold-2` and so on, beside `plan.json`, what was asked for, and `folds.json`,
//! what came out.

use crate::error::TrainError;
use crate::observer::{Notice, Observer};
use crate::records::Summary;
use crate::run::TrainOutcome;
use crate::run_folder::RunFolder;
use crate::settings::{Fold, TrainSettings};
use crate::train::{TrainRequest, absolute, resume, train};
use irtune_data::Columns;
use irtune_files::{Disk, Files as _, WriteError};
use irtune_metrics::{Metrics, Predictions};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

const PLAN: &str = "plan.json";
const RESULT: &str = "folds.json";

/// What a cross-validation came to: `folds.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldsSummary {
    /// Parts, and so runs.
    pub folds: usize,
    /// The layer-wise method; `head_only` when the head alone trained.
    pub method: String,
    /// Accuracy on the runs' test pairs.
    pub accuracy: Spread,
    /// Macro precision on the runs' test pairs.
    pub macro_precision: Spread,
    /// Macro recall on the runs' test pairs.
    pub macro_recall: Spread,
    /// Macro-F1 on the runs' test pairs.
    pub macro_f1: Spread,
    /// Macro average precision on the runs' test pairs.
    pub macro_average_precision: Spread,
    /// Mean cross-entropy on the runs' test pairs.
    pub loss: Spread,
    /// The figures of all pairs together, each as the run predicted it that had not seen it.
    pub pooled: Metrics,
    /// The runs, in the order of their parts.
    pub runs: Vec<FoldRun>,
}

/// A figure over the runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Mean over the runs.
    pub mean: f64,
    /// Sample standard deviation over the runs.
    pub deviation: f64,
}

impl Spread {
    /// Mean and sample standard deviation of two values or more.
    pub fn of(values: &[f64]) -> Spread {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Spread { mean, deviation: (squares / (values.len() as f64 - 1.0)).sqrt() }
    }
}

/// One run of a cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldRun {
    /// The part it was tested on.
    pub fold: Fold,
    /// Its folder, beside `folds.json`.
    pub folder: String,
    /// Its test pairs.
    pub examples: usize,
    /// Accuracy on them.
    pub accuracy: f64,
    /// Macro-F1 on them.
    pub macro_f1: f64,
    /// Mean cross-entropy on them.
    pub loss: f64,
}

/// How a cross-validation ended.
#[derive(Debug, Clone, PartialEq)]
pub enum FoldsOutcome {
    /// All runs are finished.
    Finished(Box<FoldsSummary>),
    /// It was interrupted and can be continued.
    Interrupted {
        /// The part whose run was interrupted.
        fold: Fold,
        /// Steps that run has completed.
        step: u64,
    },
}

/// What was asked for: `plan.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    folds: usize,
    base: PathBuf,
    base_name: String,
    train: PathBuf,
    validation: Option<PathBuf>,
    columns: Columns,
    settings: TrainSettings,
}

/// Why the folder of a cross-validation can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FoldsError {
    /// Too few parts, or none of that number.
    #[error("a cross-validation has 2 parts or more, not {folds}")]
    Count {
        /// What was asked for.
        folds: usize,
    },
    /// A test file, or a part, is given beside it.
    #[error(
        "in a cross-validation every run has its own part of the training file as test set; leave {given} out"
    )]
    TestGiven {
        /// What is given: `test` or `fold`.
        given: &'static str,
    },
    /// A file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The plan is damaged.
    #[error("{}: {source}; the file is damaged, so begin anew in another folder", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The folder holds a cross-validation of something else.
    #[error(
        "{} holds a cross-validation that was begun with another {what}; continue it with --resume, or choose another \
         folder with --out", path.display()
    )]
    Changed {
        /// The folder.
        path: PathBuf,
        /// What is not the same.
        what: String,
    },
    /// A finished run of it lacks predictions.
    #[error("{} lacks predictions of its test pairs; remove the folder and continue with --resume", path.display())]
    NoPredictions {
        /// The run folder.
        path: PathBuf,
    },
}

/// Whether a cross-validation was begun in a folder.
pub fn is_cross_validation(folder: &Path) -> bool {
    folder.join(PLAN).is_file()
}

/// Trains one run after the other, each tested on another part of the training file; `request.out` is the folder of
/// all of them.
///
/// Runs that are finished in it are kept, one that was interrupted goes on where it stood. The division depends on the
/// training file alone, so every seed and every method has the same parts.
///
/// # Errors
/// When a test file or a part is given, when the folder holds something else, or when a run fails.
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
    let plan = Plan {
        folds,
        base: absolute(&request.base)?,
        base_name: request.base_name.clone(),
        train: absolute(&request.train)?,
        validation: request.validation.as_deref().map(absolute).transpose()?,
        columns: request.columns.clone(),
        settings,
    };
    let folder = absolute(&request.out)?;
    if is_cross_validation(&folder) {
        if let Some(what) = difference(&read_plan(&folder)?, &plan) {
            return Err(FoldsError::Changed { path: request.out.clone(), what }.into());
        }
    } else {
        RunFolder::check_free(&folder)?;
        Disk.create_directory(&folder).map_err(WriteError::at(&folder)).map_err(FoldsError::from)?;
        write(&folder, PLAN, &plan)?;
    }
    go_on(&plan, &folder, observer, interrupt)
}

/// Continues a cross-validation as it was begun.
///
/// # Errors
/// When there is none in the folder, or when a run fails.
pub fn resume_cross_validation(
    folder: &Path,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<FoldsOutcome, TrainError> {
    let folder = absolute(folder)?;
    go_on(&read_plan(&folder)?, &folder, observer, interrupt)
}

fn go_on(
    plan: &Plan,
    folder: &Path,
    observer: &mut dyn Observer,
    interrupt: &AtomicBool,
) -> Result<FoldsOutcome, TrainError> {
    let mut runs = Vec::new();
    for fold in (1..=plan.folds).filter_map(|part| Fold::new(part, plan.folds)) {
        let out = folder.join(format!("fold-{}", fold.part()));
        let begun = RunFolder::open(&out).ok();
        let finished = begun.as_ref().map(RunFolder::summary).transpose()?.flatten();
        let summary = match finished {
            Some(summary) => {
                observer.on_notice(&Notice::FoldKept { fold });
                summary
            }
            None => {
                let outcome = match begun {
                    Some(_) => resume(&out, observer, interrupt)?,
                    None => train(&plan.request(fold, &out), observer, interrupt)?,
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
    write(folder, RESULT, &summary)?;
    Ok(FoldsOutcome::Finished(Box::new(summary)))
}

impl Plan {
    fn request(&self, fold: Fold, out: &Path) -> TrainRequest {
        TrainRequest {
            base: self.base.clone(),
            base_name: self.base_name.clone(),
            train: self.train.clone(),
            validation: self.validation.clone(),
            test: None,
            columns: self.columns.clone(),
            out: out.to_owned(),
            settings: TrainSettings { fold: Some(fold), ..self.settings.clone() },
        }
    }
}

fn summarize(runs: &[(Fold, RunFolder, Summary)]) -> Result<FoldsSummary, TrainError> {
    let (mut labels, mut probabilities, mut tested) = (Vec::new(), Vec::new(), Vec::new());
    let mut names = Vec::new();
    for (fold, run, summary) in runs {
        let missing = || FoldsError::NoPredictions { path: run.path().to_owned() };
        let test = summary.test.as_ref().ok_or_else(missing)?;
        let set = run.labels()?;
        let before = labels.len();
        for prediction in run.test_predictions()? {
            let prediction = prediction?;
            labels.push(set.index(&prediction.label).ok_or_else(missing)?);
            probabilities.extend(prediction.probabilities);
        }
        // A file that is gone or cut off would leave its pairs out of the figures over all parts.
        if labels.len() - before != test.metrics.examples {
            return Err(missing().into());
        }
        let folder = run.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (examples, accuracy) = (test.metrics.examples, test.metrics.accuracy);
        let (macro_f1, loss) = (test.metrics.macro_f1, test.loss);
        tested.push((FoldRun { fold: *fold, folder, examples, accuracy, macro_f1, loss }, test));
        names = set.names().to_vec();
    }
    let spread = |figure: fn(&Metrics) -> f64| {
        Spread::of(&tested.iter().map(|(_, test)| figure(&test.metrics)).collect::<Vec<_>>())
    };
    let predictions = Predictions::new(&labels, &probabilities, names.len())?;
    Ok(FoldsSummary {
        folds: runs.len(),
        method: runs.first().map(|(_, _, summary)| summary.method.clone()).unwrap_or_default(),
        accuracy: spread(|metrics| metrics.accuracy),
        macro_precision: spread(|metrics| metrics.macro_precision),
        macro_recall: spread(|metrics| metrics.macro_recall),
        macro_f1: spread(|metrics| metrics.macro_f1),
        macro_average_precision: spread(|metrics| metrics.macro_average_precision),
        loss: Spread::of(&tested.iter().map(|(_, test)| test.loss).collect::<Vec<_>>()),
        pooled: Metrics::of(&predictions, &names, None)?,
        runs: tested.into_iter().map(|(run, _)| run).collect(),
    })
}

fn read_plan(folder: &Path) -> Result<Plan, FoldsError> {
    let path = folder.join(PLAN);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(FoldsError::Read { path, source }),
    };
    serde_json::from_slice(&bytes).map_err(|source| FoldsError::Json { path, source })
}

/// The first thing in which two plans differ, by its name as a setting.
fn difference(before: &Plan, now: &Plan) -> Option<String> {
    let fields = |plan: &Plan| match serde_json::to_value(plan) {
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

fn write(folder: &Path, name: &str, value: &impl Serialize) -> Result<(), FoldsError> {
    Ok(irtune_files::replace_json(&Disk, &folder.join(name), value)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_mean_and_sample_deviation() {
        // statistics.stdev([2, 4, 4, 4, 5, 5, 7, 9])
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(spread.mean, 5.0);
        assert!((spread.deviation - 2.138_089_935_299_395).abs() < 1e-15);
    }

    #[test]
    fn plans_differ_in_what_is_named() {
        let plan = Plan {
            folds: 5,
            base: "base".into(),
            base_name: "base".to_owned(),
            train: "train.jsonl".into(),
            validation: None,
            columns: Columns::default(),
            settings: TrainSettings::default(),
        };
        assert_eq!(difference(&plan, &plan), None);
        let named = |other: Plan| difference(&plan, &other);
        assert_eq!(named(Plan { folds: 4, ..plan.clone() }).as_deref(), Some("folds"));
        let settings = TrainSettings { threads: Some(2), ..TrainSettings::default() };
        assert_eq!(named(Plan { settings, ..plan.clone() }).as_deref(), Some("threads"));
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    }
}

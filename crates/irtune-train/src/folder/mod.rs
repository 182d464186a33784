//! The folder a run leaves: what it was asked, what it did, and the model.
//!
//! | file | holds |
//! |---|---|
//! | `settings.toml` | the resolved settings, usable as a configuration of another run |
//! | `sources.json` | where base and data lie |
//! | `environment.json` | versions, machine, arithmetic, threads, seed |
//! | `labels.json`, `prompt.json` | the labels in the order of the outputs, the prompt's template |
//! | `words.json` | the labels' words, in the same order, when they are what the model says |
//! | `metrics.jsonl` | one [`StepReport`] a step |
//! | `evaluations.jsonl` | one [`Evaluation`] each |
//! | `events.out.tfevents.…` | the same for TensorBoard |
//! | `checkpoints/` | what an unfinished run continues from |
//! | `adapter/` | the best model so far, in PEFT's format; of a finished run with its card, `README.md` |
//! | `weights/` | the same where layers' own weights train: those of the layers that did ([`irtune_model::tuned_weights`]) |
//! | `calibration.json` | how the kept model's outputs become probabilities ([`crate::StoredCalibration`]); only where it was fitted |
//! | `linear.safetensors` | the linear model of the run's pairs ([`irtune_linear`]) |
//! | `stack.json` | how its answers and those of the run's own model are combined, where they are |
//! | `linear.toml` | the settings of a run that is a linear model alone; it has no `settings.toml`, prompt or steps |
//! | `test_predictions.jsonl` | one [`crate::TestPrediction`] a test pair of a finished run, in the order of the file; [`crate::MultiLabelTestPrediction`] where a pair can have several labels |
//! | `data/` | rows that a program gave, `train.jsonl` and so on; a run from files has none |
//! | `summary.json` | the end of a finished run |

pub(crate) mod calibration;
mod card;
pub mod checkpoint;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod error;
pub(crate) mod evaluation;
pub(crate) mod linear;
pub(crate) mod lock;
pub(crate) mod merge;
pub(crate) mod peak_memory;
pub(crate) mod platform;
mod prompt_files;
pub(crate) mod published;
pub(crate) mod saved_model;
pub(crate) mod sources;
pub mod state;
pub(crate) mod step_report;
pub(crate) mod stored_file;
pub(crate) mod summary;
pub mod tensor_file;
pub mod tensorboard;
pub(crate) mod test_predictions;

use crate::settings::{HeadKind, TrainSettings, Tune};
use crate::task::Task;
use error::RunFolderError;
use evaluation::Evaluation;
use irtune_data::{Ending, LabelSet, Template, Verbalizer};
use irtune_files::{Files, WriteError};
use irtune_model::{Base, EDIT_HEAD_FILE, HeadInput, ProblemType, classifier_path, read_head_input};
use platform::Platform;
use serde::de::DeserializeOwned;
use sources::{PairSources, Sources};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use step_report::StepReport;
use summary::Summary;

const SETTINGS: &str = "settings.toml";
const SOURCES: &str = "sources.json";
const ENVIRONMENT: &str = "environment.json";
const LABELS: &str = "labels.json";
const PROMPT: &str = "prompt.json";
const WORDS: &str = "words.json";
const ENDING: &str = "ending.json";
const SUMMARY: &str = "summary.json";

/// A folder that a run was begun in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Opens a folder that a run was begun in.
    ///
    /// # Errors
    /// [`RunFolderError::NotARun`] when it is something else, or not there; [`RunFolderError::Read`] when that can't be
    /// found out.
    pub fn open(path: &Path) -> Result<RunFolder, RunFolderError> {
        create::recover(path)?;
        for name in [SETTINGS, linear::SETTINGS] {
            let file = path.join(name);
            match std::fs::metadata(&file) {
                Ok(found) if found.is_file() => return Ok(RunFolder { path: path.to_owned() }),
                Err(source) if !is_absent(&source) => {
                    return Err(RunFolderError::Read { path: file, source });
                }
                _ => {}
            }
        }
        Err(RunFolderError::NotARun { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The log of steps.
    pub fn metrics_path(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The log of evaluations.
    pub fn evaluations_path(&self) -> PathBuf {
        self.path.join("evaluations.jsonl")
    }

    /// The log for TensorBoard, which knows such a file by the beginning of its name.
    pub fn events_path(&self) -> PathBuf {
        self.path.join("events.out.tfevents.0.irtune")
    }

    /// The folder of the checkpoints; a finished run has none.
    pub fn checkpoints_path(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// The best model: of a run that tunes weights those, else the adapter.
    pub fn model_path(&self, tune: Tune) -> PathBuf {
        match tune {
            Tune::Adapters => self.adapter_path(),
            Tune::Weights => self.path.join("weights"),
        }
    }

    /// The best model, in PEFT's format.
    pub fn adapter_path(&self) -> PathBuf {
        self.path.join("adapter")
    }

    /// The resolved settings.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn settings(&self) -> Result<TrainSettings, RunFolderError> {
        if self.is_linear() {
            return Err(RunFolderError::LinearRun { path: self.path.clone() });
        }
        let path = self.path.join(SETTINGS);
        let text = irtune_files::read_text(&path).map_err(|source| RunFolderError::read(&path, source))?;
        let damaged = |source| RunFolderError::Toml { path: path.clone(), source: Box::new(source) };
        let written: toml::Table = toml::from_str(&text).map_err(damaged)?;
        let mut settings: TrainSettings = toml::from_str(&text).map_err(damaged)?;
        // Every version has written these: without them the file was cut.
        if let Some(lost) = ["method", "max_length", "batch_size", "seed"]
            .into_iter()
            .find(|name| !written.contains_key(*name))
        {
            return Err(damaged(serde::de::Error::missing_field(lost)));
        }
        // What a run of an earlier version does not say was not there, and does not come in when it is resumed.
        let lacks = |name: &str| !written.contains_key(name);
        settings.calibrate &= !lacks("calibrate");
        settings.stack &= !lacks("stack");
        if lacks("min_steps") {
            settings.min_steps = 0;
        }
        if lacks("head") {
            settings.head = HeadKind::Pooled;
        }
        Ok(settings)
    }

    /// Where the data of a linear run lies.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn linear_sources(&self) -> Result<PairSources, RunFolderError> {
        read_json(&self.path.join(SOURCES))
    }

    /// Where base and data lie.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn sources(&self) -> Result<Sources, RunFolderError> {
        read_json(&self.path.join(SOURCES))
    }

    /// What the run was begun on.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn platform(&self) -> Result<Platform, RunFolderError> {
        read_json(&self.path.join(ENVIRONMENT))
    }

    /// The labels, in the order of the outputs.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn labels(&self) -> Result<LabelSet, RunFolderError> {
        read_json(&self.path.join(LABELS))
    }

    /// The prompt's template.
    ///
    /// # Errors
    /// When the file is missing or damaged.
    pub fn prompt(&self) -> Result<Template, RunFolderError> {
        read_json(&self.path.join(PROMPT))
    }

    /// The labels' words; `None` when a classification head tells the labels.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn verbalizer(&self) -> Result<Option<Verbalizer>, RunFolderError> {
        let path = self.path.join(WORDS);
        if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// How examples end; as their texts do in the folder of an earlier version, which lacks the file.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn ending(&self) -> Result<Ending, RunFolderError> {
        let path = self.path.join(ENDING);
        if path.is_file() { read_json(&path) } else { Ok(Ending::default()) }
    }

    /// Whether a pair has one label or any number of them.
    ///
    /// # Errors
    /// When the settings are missing or damaged.
    pub fn problem(&self) -> Result<ProblemType, RunFolderError> {
        if self.is_linear() { Ok(ProblemType::SingleLabel) } else { Ok(self.settings()?.problem()) }
    }

    /// Confirms that a base still has the padding token that the run was trained with: it is written for transformers, whose
    /// classifiers read the last token that isn't it.
    ///
    /// # Errors
    /// When it has another, or the run's own file is damaged.
    pub(crate) fn check_padding(&self, base: &Base) -> Result<(), RunFolderError> {
        let (was, now) = (self.ending()?.padding, base.config.padding_token());
        match was.is_none() || was == now {
            true => Ok(()),
            false => {
                let name = |token: Option<u32>| {
                    let text = token.and_then(|token| base.tokenizer.token(token)).unwrap_or_default();
                    if text.is_empty() { "none".to_owned() } else { text }
                };
                let path = base.source.path.clone();
                Err(RunFolderError::OtherPadding { path, was: name(was), now: name(now) })
            }
        }
    }

    /// Confirms that the files of a model that knows where the change is are there: without them it would be taken for
    /// another one.
    ///
    /// # Errors
    /// When one is missing.
    pub(crate) fn check_edit_head(&self, settings: &TrainSettings) -> Result<(), RunFolderError> {
        if settings.head != HeadKind::Edit {
            return Ok(());
        }
        let beside_adapters = settings.tune == Tune::Adapters && !settings.head_only;
        let model = self.model_path(settings.tune);
        let needed = [Some(classifier_path(&model)), beside_adapters.then(|| model.join(EDIT_HEAD_FILE))];
        match needed.into_iter().flatten().find(|path| !path.is_file()) {
            Some(path) => Err(RunFolderError::Incomplete { path }),
            // What else is wrong with it is told where it is read.
            None => match read_head_input(&classifier_path(&model)) {
                Ok(HeadInput::Pooled) => Err(RunFolderError::NoEditHead { path: classifier_path(&model) }),
                _ => Ok(()),
            },
        }
    }

    /// What the model is to tell: labels, prompt and verbalizer.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn task(&self) -> Result<Task, RunFolderError> {
        let (labels, template, problem) = (self.labels()?, self.prompt()?, self.problem()?);
        Ok(Task { labels, template, problem, verbalizer: self.verbalizer()?, ending: self.ending()? })
    }

    /// The end of the run; `None` when it is not finished.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn summary(&self) -> Result<Option<Summary>, RunFolderError> {
        let path = self.path.join(SUMMARY);
        if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Adds a line to the log of evaluations.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn log_evaluation(
        &self,
        files: &dyn Files,
        evaluation: &Evaluation,
    ) -> Result<(), RunFolderError> {
        let path = self.evaluations_path();
        let mut line = serde_json::to_vec(evaluation).map_err(|source| RunFolderError::Json {
            path: path.clone(),
            line: None,
            source,
        })?;
        line.push(b'\n');
        Ok(files.append(&path, &line).map_err(WriteError::at(&path))?)
    }

    /// Writes the end of the run, at once.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_summary(&self, files: &dyn Files, summary: &Summary) -> Result<(), RunFolderError> {
        let path = self.path.join(SUMMARY);
        Ok(irtune_files::replace_json(files, &path, summary)?)
    }

    /// Writes a finished run's card and removes what only an unfinished run needs; true when there was something.
    ///
    /// A run does so when it ends. One that was killed after its summary is tidied by whoever finds it.
    ///
    /// # Errors
    /// When a file can't be read, written or removed.
    pub fn tidy(&self, files: &dyn Files, summary: &Summary) -> Result<bool, RunFolderError> {
        let path = self.checkpoints_path();
        let there = path.exists();
        if there && !self.is_linear() {
            // A card beside the model of an unfinished run would stand in the way of the next one.
            self.write_card(files, summary)?;
        }
        files.remove_directory(&path).map_err(WriteError::at(&path))?;
        Ok(there)
    }

    /// The steps made so far, read one by one; none when the run has made none.
    ///
    /// # Errors
    /// When the file is there but can't be read; an item is an error when its line is damaged.
    pub fn steps(
        &self,
    ) -> Result<impl Iterator<Item = Result<StepReport, RunFolderError>> + use<>, RunFolderError> {
        read_lines(self.metrics_path())
    }

    /// The evaluations made so far, read one by one; none when there was none.
    ///
    /// # Errors
    /// When the file is there but can't be read; an item is an error when its line is damaged.
    pub fn evaluations(
        &self,
    ) -> Result<impl Iterator<Item = Result<Evaluation, RunFolderError>> + use<>, RunFolderError> {
        read_lines(self.evaluations_path())
    }
}

/// Whether an error says that there is no such file.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunFolderError> {
    let bytes = irtune_files::read(path).map_err(|source| RunFolderError::read(path, source))?;
    serde_json::from_slice(&bytes).map_err(|source| RunFolderError::Json {
        path: path.to_owned(),
        line: None,
        source,
    })
}

fn read_lines<T: DeserializeOwned>(
    path: PathBuf,
) -> Result<impl Iterator<Item = Result<T, RunFolderError>> + use<T>, RunFolderError> {
    let lines = match File::open(&path) {
        Ok(file) => Some(BufReader::new(file).lines()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(RunFolderError::Read { path, source }),
    };
    Ok(lines.into_iter().flatten().enumerate().map(move |(index, line)| {
        let line = line.map_err(|source| RunFolderError::read(&path, source))?;
        serde_json::from_str(&line).map_err(|source| RunFolderError::Json {
            path: path.clone(),
            line: Some(index + 1),
            source,
        })
    }))
}

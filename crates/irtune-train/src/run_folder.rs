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
//! | `adapter/` | the best model so far, in PEFT's format |
//! | `weights/` | the same where layers' own weights train: those of the layers that did ([`irtune_model::tuned_weights`]) |
//! | `test_predictions.jsonl` | one [`TestPrediction`] a test pair of a finished run, in the order of the file |
//! | `summary.json` | the end of a finished run |

use crate::records::{Environment, Evaluation, Sources, StepReport, Summary, TestPrediction};
use crate::settings::{TrainSettings, Tune};
use irtune_data::{LabelSet, LabelWords, Template};
use irtune_files::{Files, WriteError, create_folder};
use irtune_metrics::Predictions;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{File, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

const SETTINGS: &str = "settings.toml";
const SOURCES: &str = "sources.json";
const ENVIRONMENT: &str = "environment.json";
const LABELS: &str = "labels.json";
const PROMPT: &str = "prompt.json";
const WORDS: &str = "words.json";
const SUMMARY: &str = "summary.json";
const TEST_PREDICTIONS: &str = "test_predictions.jsonl";

/// What a run folder holds from its first moment.
#[derive(Debug, Clone, PartialEq)]
pub struct RunContents {
    /// The resolved settings.
    pub settings: TrainSettings,
    /// Where base and data lie.
    pub sources: Sources,
    /// What it runs on.
    pub environment: Environment,
    /// The labels.
    pub labels: LabelSet,
    /// The prompt's template.
    pub prompt: Template,
    /// The labels' words, when they are what the model says.
    pub words: Option<LabelWords>,
}

/// A folder that a run was begun in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

/// A run folder that this process alone trains in.
#[derive(Debug)]
pub struct RunLock {
    _folder: File,
}

/// Why a run folder can't be made or read.
#[derive(Debug, thiserror::Error)]
pub enum RunFolderError {
    /// Something is there already.
    #[error(
        "{} is not empty; choose another folder with --out{}",
        path.display(),
        if *resumable { ", or continue the run in it with --resume" } else { "" }
    )]
    Exists {
        /// The folder, or file.
        path: PathBuf,
        /// Whether it is a run that can be continued.
        resumable: bool,
    },
    /// It is no run folder.
    #[error("{} is not a run folder: it has no {SETTINGS}; give the folder that `irtune train --out` wrote", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// Two processes would write over each other's files.
    #[error("another process is training in {}; wait for its end, or stop it", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A file can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file can't be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A JSON file is damaged.
    #[error("{}{}: {source}; the file is damaged", path.display(), line.map_or_else(String::new, |line| format!(" line {line}")))]
    Json {
        /// The file.
        path: PathBuf,
        /// Its line, in a file of one document a line.
        line: Option<usize>,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The settings are damaged.
    #[error("{}: {source}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: Box<toml::de::Error>,
    },
}

impl RunFolder {
    /// Confirms that a run may be begun at a path: nothing is there, or an empty folder.
    ///
    /// # Errors
    /// [`RunFolderError::Exists`] when something is.
    pub fn check_free(path: &Path) -> Result<(), RunFolderError> {
        let exists = |resumable| RunFolderError::Exists { path: path.to_owned(), resumable };
        match std::fs::read_dir(path) {
            Ok(mut entries) => match entries.next() {
                None => Ok(()),
                Some(_) => Err(exists(path.join(SETTINGS).is_file() && !path.join(SUMMARY).is_file())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(exists(false)),
            Err(source) => Err(RunFolderError::Read { path: path.to_owned(), source }),
        }
    }

    /// Makes a run folder with its first files, all of them or none.
    ///
    /// # Errors
    /// [`RunFolderError::Exists`] when something is there, [`RunFolderError::Write`] when writing fails.
    pub fn create(
        files: &dyn Files,
        path: &Path,
        contents: &RunContents,
    ) -> Result<RunFolder, RunFolderError> {
        RunFolder::check_free(path)?;
        create_folder(files, path, |writing| write_contents(files, writing, contents))?;
        Ok(RunFolder { path: path.to_owned() })
    }

    /// Opens a folder that a run was begun in.
    ///
    /// # Errors
    /// [`RunFolderError::NotARun`] when it is something else, or not there.
    pub fn open(path: &Path) -> Result<RunFolder, RunFolderError> {
        if !path.join(SETTINGS).is_file() {
            return Err(RunFolderError::NotARun { path: path.to_owned() });
        }
        Ok(RunFolder { path: path.to_owned() })
    }

    /// Keeps other processes from training in the folder for as long as the lock lives. It is on the folder itself and
    /// leaves no file; where folders can't be locked (not on Unix, or on some network disks) nothing is kept.
    ///
    /// # Errors
    /// [`RunFolderError::InUse`] when another process has it.
    pub fn lock(&self) -> Result<Option<RunLock>, RunFolderError> {
        let Ok(folder) = File::open(&self.path) else { return Ok(None) };
        match folder.try_lock() {
            Ok(()) => Ok(Some(RunLock { _folder: folder })),
            Err(TryLockError::WouldBlock) => Err(RunFolderError::InUse { path: self.path.clone() }),
            Err(TryLockError::Error(_)) => Ok(None),
        }
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
        let path = self.path.join(SETTINGS);
        let text = std::fs::read_to_string(&path).map_err(|source| read_error(&path, source))?;
        toml::from_str(&text).map_err(|source| RunFolderError::Toml { path, source: Box::new(source) })
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
    pub fn environment(&self) -> Result<Environment, RunFolderError> {
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
    pub fn words(&self) -> Result<Option<LabelWords>, RunFolderError> {
        let path = self.path.join(WORDS);
        if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// The end of the run; `None` when it is not finished.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn summary(&self) -> Result<Option<Summary>, RunFolderError> {
        let path = self.path.join(SUMMARY);
        if path.is_file() { read_json(&path).map(Some) } else { Ok(None) }
    }

    /// Writes the end of the run, at once.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_summary(&self, files: &dyn Files, summary: &Summary) -> Result<(), RunFolderError> {
        let path = self.path.join(SUMMARY);
        Ok(irtune_files::replace_json(files, &path, summary)?)
    }

    /// Writes what the kept model said of the test pairs, at once.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write_test_predictions(
        &self,
        files: &dyn Files,
        labels: &LabelSet,
        predictions: &Predictions,
    ) -> Result<(), RunFolderError> {
        let name = |&label: &usize| labels.names()[label].clone();
        let line = |(example, label): (usize, &usize)| TestPrediction {
            label: name(label),
            probabilities: (0..labels.len()).map(|class| predictions.probability(example, class)).collect(),
        };
        let path = self.path.join(TEST_PREDICTIONS);
        let mut content = |writer: &mut dyn Write| {
            for prediction in predictions.labels().iter().enumerate().map(line) {
                serde_json::to_writer(&mut *writer, &prediction)?;
                writer.write_all(b"\n")?;
            }
            Ok(())
        };
        Ok(irtune_files::replace_file(files, &path, &mut content)?)
    }

    /// What the kept model said of the test pairs, in the order of their file, read one by one; none when there were
    /// none.
    ///
    /// # Errors
    /// When the file is there but can't be read; an item is an error when its line is damaged.
    pub fn test_predictions(
        &self,
    ) -> Result<impl Iterator<Item = Result<TestPrediction, RunFolderError>> + use<>, RunFolderError> {
        read_lines(self.path.join(TEST_PREDICTIONS))
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

fn write_contents(files: &dyn Files, writing: &Path, contents: &RunContents) -> Result<(), WriteError> {
    let path = writing.join(SETTINGS);
    let failed = WriteError::at(&path);
    let settings = toml::to_string(&contents.settings).map_err(io::Error::other).map_err(&failed)?;
    files.write(&path, &mut |writer| writer.write_all(settings.as_bytes())).map_err(&failed)?;
    write_json(files, &writing.join(SOURCES), &contents.sources)?;
    write_json(files, &writing.join(ENVIRONMENT), &contents.environment)?;
    write_json(files, &writing.join(LABELS), &contents.labels)?;
    if let Some(words) = &contents.words {
        write_json(files, &writing.join(WORDS), words)?;
    }
    write_json(files, &writing.join(PROMPT), &contents.prompt)
}

fn write_json(files: &dyn Files, path: &Path, value: &impl Serialize) -> Result<(), WriteError> {
    let write = || files.write(path, &mut |writer| writer.write_all(&irtune_files::json(value)?));
    write().map_err(WriteError::at(path))
}

fn read_error(path: &Path, source: io::Error) -> RunFolderError {
    RunFolderError::Read { path: path.to_owned(), source }
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunFolderError> {
    let bytes = std::fs::read(path).map_err(|source| read_error(path, source))?;
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
        let line = line.map_err(|source| read_error(&path, source))?;
        serde_json::from_str(&line).map_err(|source| RunFolderError::Json {
            path: path.clone(),
            line: Some(index + 1),
            source,
        })
    }))
}

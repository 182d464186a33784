//! A folder in which labels and the models trained on them are kept.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use irtune_files::FolderLock;
use irtune_labelling::store::{ModelState, Store, StoreError, StoredModel};
use irtune_train::{PredictorOptions, RunFolder};

use super::order::Order;
use super::retrain::Retraining;

/// A folder in which labels and the models trained on them are kept: `labels.sqlite`, and `runs/`.
pub struct Project {
    pub(super) store: Mutex<Store>,
    pub(super) folder: PathBuf,
    /// The run that the server was started with.
    pub(super) run: PathBuf,
    /// How models are opened.
    pub(super) predictor: PredictorOptions,
    /// The training at hand.
    pub(super) retraining: Mutex<Option<Retraining>>,
    /// Whether revisions are being classified that have no answer yet.
    pub(super) predicting: AtomicBool,
    /// In which order revisions are asked about.
    pub(super) order: Mutex<Order>,
    /// Whether the run that the server was started with is at work, whichever model was accepted.
    pub(super) is_own: bool,
    /// No other server uses the folder.
    _lock: FolderLock,
}

/// A project can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The folder can't be made.
    #[error("the project's folder {} can't be made: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server uses it.
    #[error("another irtune serve has the project {}; end it, or take another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The folder is a run's.
    #[error("{} is a run, and a project needs a folder of its own", path.display())]
    RunFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The labels can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Project {
    /// Opens a project, or begins one where the folder isn't there. `run` is the model that it begins with, `predictor` how
    /// models are opened.
    ///
    /// # Errors
    /// When the folder can't be made, is a run's or another server's, or its labels can't be read.
    pub fn open(folder: &Path, run: &Path, predictor: PredictorOptions) -> Result<Project, ProjectError> {
        let failed = |source| ProjectError::Folder { path: folder.to_owned(), source };
        if RunFolder::open(folder).is_ok() {
            return Err(ProjectError::RunFolder { path: folder.to_owned() });
        }
        std::fs::create_dir_all(folder).map_err(failed)?;
        let lock = FolderLock::take(folder).map_err(|_| ProjectError::InUse { path: folder.to_owned() })?;
        let folder = std::path::absolute(folder).map_err(failed)?;
        let run = std::path::absolute(run).map_err(failed)?;
        let mut store = Store::open(&folder.join("labels.sqlite"))?;
        // Whoever trained it is gone; it can be continued.
        for model in store.models()?.into_iter().filter(|model| model.state == ModelState::Training) {
            store.set_model(
                model.id,
                ModelState::Cancelled,
                Some("the server ended while it trained"),
                None,
            )?;
        }
        Ok(Project {
            store: Mutex::new(store),
            folder,
            run,
            predictor,
            retraining: Mutex::new(None),
            predicting: AtomicBool::new(false),
            order: Mutex::default(),
            is_own: false,
            _lock: lock,
        })
    }

    /// The model at work that was accepted last; nothing where none was.
    ///
    /// # Errors
    /// When the labels can't be read.
    fn accepted(&self) -> Result<Option<StoredModel>, StoreError> {
        if self.is_own {
            return Ok(None);
        }
        self.store.lock().unwrap_or_else(PoisonError::into_inner).accepted()
    }

    /// Goes back to the run that the server was started with; whether another model was at work. What was accepted stays
    /// so for the next start.
    ///
    /// # Errors
    /// When the labels can't be read.
    pub fn leave_accepted(&mut self) -> Result<bool, ProjectError> {
        let was_other = self.accepted()?.is_some();
        self.is_own = true;
        Ok(was_other)
    }

    /// The folder of the model to serve, and what it is called: the one that was accepted last, else the run.
    ///
    /// # Errors
    /// When the labels can't be read.
    pub fn model(&self) -> Result<(PathBuf, String), ProjectError> {
        Ok(match self.accepted()? {
            Some(model) => (self.folder.join(&model.folder), name(&model)),
            None => {
                let last = self.run.file_name().unwrap_or(self.run.as_os_str());
                (self.run.clone(), last.to_string_lossy().into_owned())
            }
        })
    }

    /// What tells its model from others in the store.
    pub(crate) fn model_key(&self) -> String {
        self.accepted().ok().flatten().map_or_else(|| self.run.display().to_string(), |model| model.folder)
    }
}

/// What a model of the project is called.
pub(super) fn name(model: &StoredModel) -> String {
    format!("model {}", model.id)
}

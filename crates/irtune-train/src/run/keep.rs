//! What a run keeps on disk on its way: the best model, and checkpoints.

use super::Run;
use crate::error::TrainError;
use crate::folder::checkpoint::{self, Checkpoint};
use crate::folder::state::Best;
use crate::folder::tensor_file;
use irtune_model::HostTensor;

/// How the names of the stored best models begin.
const BEST: &str = "best-";

impl Run<'_> {
    /// Stores the present parameters as the best ones, beside those that a checkpoint still names.
    pub(super) fn keep_best(&mut self, value: f64) -> Result<(), TrainError> {
        let (files, directory) = (self.parts.files, self.parts.folder.checkpoints_path());
        let parameters = self.parts.engine.parameters();
        let path = directory.join(format!("{BEST}{:08}.safetensors", self.state.step));
        let wrap = |source| TrainError::Log { path: path.clone(), source };
        files.create_directory(&directory).map_err(wrap)?;
        let file = tensor_file::write_sealed(files, &path, &|writer| {
            tensor_file::write_tensors(&parameters, writer)
        })
        .map_err(|source| {
            // The first error is the one to report; what is left in part is also removed when the run is resumed.
            let _ = files.remove_file(&path);
            wrap(source)
        })?;
        self.export(parameters)?;
        let before = self.state.best.replace(Best { step: self.state.step, value, file });
        let before = before.map(|best| best.file.name);
        if before.is_some() && self.saved.as_ref().is_none_or(|(_, _, named)| *named != before) {
            self.remove_best_file(before)?;
        }
        Ok(())
    }

    /// Writes parameters as the run's model.
    pub(super) fn export(&self, parameters: Vec<HostTensor>) -> Result<(), TrainError> {
        let exported = self.parts.engine.exported(parameters);
        Ok((self.parts.export)(&self.model_path(), &exported)?)
    }

    fn remove_best_file(&self, name: Option<String>) -> Result<(), TrainError> {
        let Some(path) = name.map(|name| self.parts.folder.checkpoints_path().join(name)) else {
            return Ok(());
        };
        self.parts.files.remove_file(&path).map_err(|source| TrainError::Log { path, source })
    }

    pub(super) fn remove_best_files_except(&self, kept: Option<&str>) -> Result<(), TrainError> {
        let directory = self.parts.folder.checkpoints_path();
        let wrap = |source| TrainError::Log { path: directory.clone(), source };
        for entry in std::fs::read_dir(&directory).map_err(wrap)? {
            let name = entry.map_err(wrap)?.file_name().to_string_lossy().into_owned();
            if name.starts_with(BEST) && Some(name.as_str()) != kept {
                self.remove_best_file(Some(name))?;
            }
        }
        Ok(())
    }

    pub(super) fn best_parameters(&self) -> Result<Option<Vec<HostTensor>>, TrainError> {
        let read = |best: &Best| tensor_file::read_tensors(&self.parts.folder.checkpoints_path(), &best.file);
        let best = self.state.best.as_ref().map(read).transpose();
        best.map_err(|source| TrainError::Best { source: Box::new(source) })
    }

    /// Writes a checkpoint, unless this step has one.
    pub(super) fn save(&mut self) -> Result<(), TrainError> {
        if self.saved.as_ref().is_some_and(|(step, ..)| *step == self.state.step) {
            return Ok(());
        }
        // What was trained over another file's bytes is nothing to continue from.
        (self.parts.check_base)()?;
        self.state.policy = self.parts.policy.state();
        self.logs.sync(self.parts.files)?;
        self.state.logs = self.logs.lengths();
        let checkpoint = Checkpoint {
            state: self.state.clone(),
            parameters: self.parts.engine.parameters(),
            optimizer: self.parts.engine.optimizer_state(),
        };
        let path = checkpoint::save(self.parts.files, &self.parts.folder.checkpoints_path(), &checkpoint)?;
        let best = self.state.best.as_ref().map(|best| best.file.name.clone());
        let before = self.saved.replace((self.state.step, path.clone(), best.clone()));
        let named = before.and_then(|(_, _, named)| named);
        if named != best {
            self.remove_best_file(named)?;
        }
        self.observer.on_checkpoint(self.state.step, &path);
        Ok(())
    }
}

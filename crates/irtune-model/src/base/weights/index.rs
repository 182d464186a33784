//! The list that says which shard holds which tensor.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{WeightError, Weights};

/// The files of a sharded model.
pub(super) struct Index {
    /// Each shard once, in order of its name.
    pub(super) files: Vec<PathBuf>,
    /// Every tensor with its shard.
    tensors: BTreeMap<String, PathBuf>,
}

#[derive(Deserialize)]
struct Stored {
    weight_map: BTreeMap<String, String>,
}

impl Index {
    pub(super) fn read(path: &Path) -> Result<Self, WeightError> {
        let bytes =
            irtune_files::read(path).map_err(|source| WeightError::Open { path: path.to_owned(), source })?;
        let stored: Stored = serde_json::from_slice(&bytes)
            .map_err(|source| WeightError::Index { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut files = BTreeSet::new();
        let mut tensors = BTreeMap::new();
        for (tensor, file) in stored.weight_map {
            // Only plain names: an index must not lead out of its folder.
            if Path::new(&file).file_name().and_then(|name| name.to_str()) != Some(&file) {
                return Err(WeightError::IndexFile { path: path.to_owned(), file });
            }
            let shard = folder.join(file);
            files.insert(shard.clone());
            tensors.insert(tensor, shard);
        }
        Ok(Self { files: files.into_iter().collect(), tensors })
    }

    /// Every tensor must be in the shard that the index says.
    pub(super) fn verify(&self, weights: &Weights) -> Result<(), WeightError> {
        for (name, path) in &self.tensors {
            if weights.file_of(name) != Some(path) {
                return Err(WeightError::IndexTensor { path: path.clone(), tensor: name.clone() });
            }
        }
        Ok(())
    }
}

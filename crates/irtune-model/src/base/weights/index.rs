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

    /// Every tensor that there is must be in the shard that the index says. Those that there aren't, with their shards: an
    /// index may name the output matrix of a model whose embedding is that too.
    pub(super) fn verify(self, weights: &Weights) -> Result<BTreeMap<String, PathBuf>, WeightError> {
        let mut absent = BTreeMap::new();
        for (tensor, path) in self.tensors {
            match weights.file_of(&tensor) {
                Some(found) if found == path => {}
                Some(_) => return Err(WeightError::IndexTensor { path, tensor }),
                None => {
                    absent.insert(tensor, path);
                }
            }
        }
        Ok(absent)
    }
}

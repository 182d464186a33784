//! A base's frozen weights: memory-mapped, in the files' own formats, by transformers' names.

mod error;
mod expected;
pub mod gguf;
mod index;
mod safetensors;
mod tensor;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use irtune_device::{FrozenMatrix, MappedFile, WeightView};

pub use error::WeightError;
pub use tensor::Tensor;

use crate::{base::config::ModelConfig, families::Family};

/// The mapped files of a base and what is where in them.
#[derive(Debug)]
pub struct Weights {
    files: Vec<(PathBuf, Arc<MappedFile>)>,
    tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Bytes that are resident once every weight was read: the mapped files.
    pub fn resident_bytes(&self) -> usize {
        self.files.iter().map(|(_, file)| file.len()).sum()
    }

    /// Maps the safetensors files of a transformers folder: `model.safetensors`, or the shards that
    /// `model.safetensors.index.json` lists.
    ///
    /// # Errors
    /// When there are no such files, or one is damaged or holds types that aren't supported.
    pub fn open_folder(folder: &Path, family: &Family) -> Result<Self, WeightError> {
        let single = folder.join("model.safetensors");
        if single.is_file() {
            return Ok(Self::open_safetensors(&[single])?.with_whole_names(family));
        }
        let index = folder.join("model.safetensors.index.json");
        if !index.is_file() {
            return Err(WeightError::NoWeights { folder: folder.to_owned() });
        }
        let index = index::Index::read(&index)?;
        let weights = Self::open_safetensors(&index.files)?;
        index.verify(&weights)?;
        Ok(weights.with_whole_names(family))
    }

    /// Maps safetensors files as one set of weights.
    ///
    /// # Errors
    /// As [`Weights::open_folder`], and when a tensor is in two files.
    pub fn open_safetensors(paths: &[PathBuf]) -> Result<Self, WeightError> {
        let mut files = Vec::with_capacity(paths.len());
        let mut tensors = Vec::new();
        for path in paths {
            let map = map(path)?;
            tensors.extend(safetensors::parse(&map, path, files.len())?);
            files.push((path.clone(), map));
        }
        Self::new(files, tensors)
    }

    /// A decoder saved without its head lacks the first part of every name; it is put back. Names of a composite model's
    /// first files are put in the order of today's.
    fn with_whole_names(mut self, family: &Family) -> Self {
        if self.tensors.keys().any(|name| family.renamed(name).is_some()) {
            let tensors = std::mem::take(&mut self.tensors).into_values().map(|tensor| {
                let name = family.renamed(&tensor.name).unwrap_or_else(|| tensor.name.clone());
                Tensor { name, ..tensor }
            });
            self.tensors = tensors.map(|tensor| (tensor.name.clone(), tensor)).collect();
        }
        let (prefix, embedding) = family.embedding_name();
        if self.tensors.contains_key(&embedding) {
            let tensors = std::mem::take(&mut self.tensors).into_values();
            let renamed = tensors.map(|tensor| Tensor { name: format!("{prefix}{}", tensor.name), ..tensor });
            self.tensors = renamed.map(|tensor| (tensor.name.clone(), tensor)).collect();
        }
        self
    }

    /// Maps a GGUF of a decoder.
    ///
    /// # Errors
    /// When the file is damaged, or holds types or tensors that aren't supported.
    pub fn open_gguf(path: &Path, config: &ModelConfig) -> Result<Self, WeightError> {
        let map = map(path)?;
        let tensors = gguf::Header::parse(&map, path)?.translated(config)?;
        Self::new(vec![(path.to_owned(), map)], tensors)
    }

    /// Files that are mapped already, and what is in them.
    pub(crate) fn new(
        files: Vec<(PathBuf, Arc<MappedFile>)>,
        tensors: Vec<Tensor>,
    ) -> Result<Self, WeightError> {
        let mut by_name = BTreeMap::new();
        for tensor in tensors {
            let file = tensor.file;
            if let Some(tensor) = by_name.insert(tensor.name.clone(), tensor) {
                return Err(WeightError::Duplicate { path: files[file].0.clone(), tensor: tensor.name });
            }
        }
        Ok(Self { files, tensors: by_name })
    }

    /// A matrix, in its own format.
    ///
    /// # Errors
    /// When there is no such tensor or it isn't a matrix.
    pub fn get(&self, name: &str) -> Result<WeightView<'_>, WeightError> {
        let tensor = self.tensor(name)?;
        let &[rows, columns] = tensor.shape.as_slice() else { return Err(self.shape(tensor, vec![0, 0])) };
        let Tensor { format, interleaved_head, .. } = *tensor;
        Ok(WeightView { format, rows, columns, bytes: self.bytes(tensor), interleaved_head })
    }

    /// A matrix as a device takes it: a share of the mapped file, and where the matrix is in it.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn matrix(&self, name: &str) -> Result<FrozenMatrix, WeightError> {
        let tensor = self.tensor(name)?;
        let &[rows, columns] = tensor.shape.as_slice() else { return Err(self.shape(tensor, vec![0, 0])) };
        let (file, bytes) = (self.files[tensor.file].1.clone(), tensor.bytes.clone());
        Ok(FrozenMatrix::new(file, bytes, tensor.format, (rows, columns), tensor.interleaved_head))
    }

    /// A vector, decoded.
    ///
    /// # Errors
    /// When there is no such tensor or it isn't a vector.
    pub fn vector(&self, name: &str) -> Result<Vec<f32>, WeightError> {
        let tensor = self.tensor(name)?;
        let &[columns] = tensor.shape.as_slice() else { return Err(self.shape(tensor, vec![0])) };
        Ok(self.decoded_vector(tensor, columns))
    }

    /// A tensor's values as f32, whatever its shape; for small ones.
    ///
    /// # Errors
    /// When there is no such tensor.
    pub fn values(&self, name: &str) -> Result<Vec<f32>, WeightError> {
        let tensor = self.tensor(name)?;
        if let &[columns] = tensor.shape.as_slice() {
            return Ok(self.decoded_vector(tensor, columns));
        }
        let columns = tensor.shape.last().copied().unwrap_or(1);
        let rows = tensor.shape.iter().rev().skip(1).product();
        Ok(self.decoded(tensor, rows, columns))
    }

    /// A vector is a row, unless its values are in the order of a matrix's interleaved rows.
    fn decoded_vector(&self, tensor: &Tensor, length: usize) -> Vec<f32> {
        match tensor.interleaved_head {
            Some(_) => self.decoded(tensor, length, 1),
            None => self.decoded(tensor, 1, length),
        }
    }

    fn decoded(&self, tensor: &Tensor, rows: usize, columns: usize) -> Vec<f32> {
        let Tensor { format, interleaved_head, .. } = *tensor;
        let weight = WeightView { format, rows, columns, bytes: self.bytes(tensor), interleaved_head };
        let mut values = vec![0.0; rows * columns];
        if columns > 0 {
            values.chunks_mut(columns).enumerate().for_each(|(row, out)| weight.decode_row(row, out));
        }
        if tensor.shift != 0.0 {
            values.iter_mut().for_each(|value| *value += tensor.shift);
        }
        values
    }

    /// A tensor's place.
    ///
    /// # Errors
    /// When there is no such tensor.
    pub fn tensor(&self, name: &str) -> Result<&Tensor, WeightError> {
        self.tensors.get(name).ok_or_else(|| WeightError::Missing {
            path: self.files.first().map(|(path, _)| path.clone()).unwrap_or_default(),
            tensor: name.to_owned(),
        })
    }

    /// All tensors, by name.
    pub fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        self.tensors.values()
    }

    /// The mapped files with their sizes.
    pub fn files(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.files.iter().map(|(path, map)| (path.as_path(), map.len() as u64))
    }

    pub(crate) fn maps(&self) -> impl Iterator<Item = &[u8]> {
        self.files.iter().map(|(_, map)| &map[..])
    }

    /// Number of values in all tensors.
    pub fn parameters(&self) -> u64 {
        self.tensors
            .values()
            .map(|tensor| tensor.shape.iter().map(|&axis| axis as u64).product::<u64>())
            .sum()
    }

    fn path_of(&self, tensor: &Tensor) -> PathBuf {
        self.files[tensor.file].0.clone()
    }

    fn bytes(&self, tensor: &Tensor) -> &[u8] {
        &self.files[tensor.file].1[tensor.bytes.clone()]
    }

    fn shape(&self, tensor: &Tensor, expected: Vec<usize>) -> WeightError {
        let (tensor, found, path) = (tensor.name.clone(), tensor.shape.clone(), self.path_of(tensor));
        WeightError::Shape { path, tensor, found, expected }
    }
}

/// Maps a file, and names it if that fails.
pub(crate) fn map(path: &Path) -> Result<Arc<MappedFile>, WeightError> {
    MappedFile::open(path).map(Arc::new).map_err(|source| WeightError::Open { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;

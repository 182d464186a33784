//! A base's frozen weights: memory-mapped, in the files' own formats, by transformers' names.

mod error;
mod expected;
pub mod gguf;
mod index;
mod safetensors;
mod scaled;
mod stamp;
mod tensor;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use irtune_device::{FrozenMatrix, MappedFile, WeightView};

pub use error::WeightError;
use stamp::Stamp;
pub use tensor::Tensor;
use tensor::{Tensors, UnreadTensor};

use crate::{base::config::ModelConfig, families::Family};

/// The mapped files of a base and what is where in them.
#[derive(Debug)]
pub struct Weights {
    files: Vec<(PathBuf, Arc<MappedFile>)>,
    tensors: BTreeMap<String, Tensor>,
    /// Tensors whose types aren't read.
    unread: BTreeMap<String, UnreadTensor>,
    /// The files as they were when they were mapped.
    stamps: Vec<Option<Stamp>>,
    /// Tensors that an index names and no file has, with the file that it names.
    absent: BTreeMap<String, PathBuf>,
}

impl Weights {
    /// Bytes that are resident once every weight was read: the mapped files.
    pub fn resident_bytes(&self) -> usize {
        self.files.iter().map(|(_, file)| file.len()).sum()
    }

    /// Maps the safetensors files of a transformers folder: `model.safetensors`, or the shards that
    /// `model.safetensors.index.json` lists. `shared_scale` is how many rows and columns of an eight-bit matrix share a
    /// scale, where the configuration says so.
    ///
    /// # Errors
    /// When there are no such files, or one is damaged. A type that isn't read is an error of whoever asks for the tensor.
    pub fn open_folder(
        folder: &Path,
        family: &Family,
        shared_scale: Option<(usize, usize)>,
    ) -> Result<Self, WeightError> {
        let single = folder.join("model.safetensors");
        if single.is_file() {
            let weights = Self::open_safetensors(&[single])?.with_whole_names(family);
            return Ok(weights.with_scales(shared_scale)?.with_transposed(family));
        }
        let index = folder.join("model.safetensors.index.json");
        if !index.is_file() {
            return Err(WeightError::NoWeights { folder: folder.to_owned() });
        }
        let index = index::Index::read(&index)?;
        let mut weights = Self::open_safetensors(&index.files)?;
        weights.absent = index.verify(&weights)?;
        Ok(weights.with_whole_names(family).with_scales(shared_scale)?.with_transposed(family))
    }

    /// Marks the matrices that the family's files hold transposed.
    fn with_transposed(mut self, family: &Family) -> Self {
        for tensor in self.tensors.values_mut() {
            if tensor.shape.len() == 2 && family.is_transposed_name(&tensor.name) {
                tensor.shape.reverse();
                tensor.transposed = true;
            }
        }
        self
    }

    /// Maps safetensors files as one set of weights.
    ///
    /// # Errors
    /// As [`Weights::open_folder`], and when a tensor is in two files.
    pub fn open_safetensors(paths: &[PathBuf]) -> Result<Self, WeightError> {
        let mut files = Vec::with_capacity(paths.len());
        let mut tensors = Tensors::default();
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
            let whole = |name: &str| format!("{prefix}{name}");
            let tensors = std::mem::take(&mut self.tensors).into_values();
            let renamed = tensors.map(|tensor| Tensor { name: whole(&tensor.name), ..tensor });
            self.tensors = renamed.map(|tensor| (tensor.name.clone(), tensor)).collect();
            let unread = std::mem::take(&mut self.unread).into_values();
            let renamed = unread.map(|tensor| UnreadTensor { name: whole(&tensor.name), ..tensor });
            self.unread = renamed.map(|tensor| (tensor.name.clone(), tensor)).collect();
        }
        self
    }

    /// Maps a GGUF of a decoder.
    ///
    /// # Errors
    /// When the file is damaged, or holds a weight that the decoder hasn't got.
    pub fn open_gguf(path: &Path, config: &ModelConfig) -> Result<Self, WeightError> {
        let map = map(path)?;
        let tensors = gguf::Header::parse(&map, path)?.translated(config)?;
        Self::new(vec![(path.to_owned(), map)], tensors)
    }

    /// Files that are mapped already, and what is in them.
    pub(crate) fn new(files: Vec<(PathBuf, Arc<MappedFile>)>, tensors: Tensors) -> Result<Self, WeightError> {
        let (mut by_name, mut unread) = (BTreeMap::new(), BTreeMap::new());
        let twice = |file: usize, tensor| WeightError::Duplicate { path: files[file].0.clone(), tensor };
        for tensor in tensors.unread {
            let file = tensor.file;
            if let Some(tensor) = unread.insert(tensor.name.clone(), tensor) {
                return Err(twice(file, tensor.name));
            }
        }
        for tensor in tensors.known {
            let (file, is_unread) = (tensor.file, unread.contains_key(&tensor.name));
            let (name, known) = (tensor.name.clone(), by_name.insert(tensor.name.clone(), tensor));
            if is_unread || known.is_some() {
                return Err(twice(file, name));
            }
        }
        let stamps = files.iter().map(|(path, _)| Stamp::of(path)).collect();
        Ok(Self { files, tensors: by_name, unread, stamps, absent: BTreeMap::new() })
    }

    /// A matrix, in its own format.
    ///
    /// # Errors
    /// When there is no such tensor or it isn't a matrix.
    pub fn get(&self, name: &str) -> Result<WeightView<'_>, WeightError> {
        let tensor = self.tensor(name)?;
        let &[rows, columns] = tensor.shape.as_slice() else { return Err(self.shape(tensor, vec![0, 0])) };
        Ok(self.view(tensor, rows, columns))
    }

    /// A matrix as a device takes it: a share of the mapped file, and where the matrix is in it.
    ///
    /// # Errors
    /// As [`Weights::get`].
    pub fn matrix(&self, name: &str) -> Result<FrozenMatrix, WeightError> {
        let tensor = self.tensor(name)?;
        let &[rows, columns] = tensor.shape.as_slice() else { return Err(self.shape(tensor, vec![0, 0])) };
        let (file, bytes) = (self.files[tensor.file].1.clone(), tensor.bytes.clone());
        let stored = if tensor.transposed { (columns, rows) } else { (rows, columns) };
        let matrix = FrozenMatrix::new(file, bytes, tensor.format, stored, tensor.interleaved_head);
        let matrix = matrix.with_scales(tensor.scales.clone());
        Ok(if tensor.transposed { matrix.transposed() } else { matrix })
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

    /// A vector is a row; its values may be in the order of a matrix's interleaved rows.
    fn decoded_vector(&self, tensor: &Tensor, length: usize) -> Vec<f32> {
        let plain = self.decoded(&Tensor { interleaved_head: None, ..tensor.clone() }, 1, length);
        let order = self.view(tensor, length, 1);
        (0..length).map(|row| plain[order.stored_row(row)]).collect()
    }

    fn view<'a>(&'a self, tensor: &'a Tensor, rows: usize, columns: usize) -> WeightView<'a> {
        let Tensor { format, interleaved_head, transposed, .. } = *tensor;
        let (bytes, scales) = (self.bytes(tensor), tensor.scales.as_deref());
        WeightView { format, rows, columns, bytes, interleaved_head, transposed, scales }
    }

    fn decoded(&self, tensor: &Tensor, rows: usize, columns: usize) -> Vec<f32> {
        let weight = self.view(tensor, rows, columns);
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
    /// When there is no such tensor, or its type isn't read.
    pub fn tensor(&self, name: &str) -> Result<&Tensor, WeightError> {
        let unread = || self.unread.get(name).map(|tensor| self.element_type(tensor));
        let missing = || match self.absent.get(name) {
            Some(path) => WeightError::IndexTensor { path: path.clone(), tensor: name.to_owned() },
            None => WeightError::Missing { path: self.first_path(), tensor: name.to_owned() },
        };
        self.tensors.get(name).ok_or_else(|| unread().unwrap_or_else(missing))
    }

    fn element_type(&self, tensor: &UnreadTensor) -> WeightError {
        let UnreadTensor { name, file, found, .. } = tensor.clone();
        WeightError::ElementType { path: self.files[file].0.clone(), tensor: name, found }
    }

    /// The file that holds a tensor, of whatever type.
    fn file_of(&self, name: &str) -> Option<&Path> {
        let known = self.tensors.get(name).map(|tensor| tensor.file);
        let file = known.or_else(|| self.unread.get(name).map(|tensor| tensor.file));
        file.map(|file| self.files[file].0.as_path())
    }

    /// All tensors whose types are read, by name.
    pub fn tensors(&self) -> impl Iterator<Item = &Tensor> {
        self.tensors.values()
    }

    /// The mapped files with their sizes.
    pub fn files(&self) -> impl Iterator<Item = (&Path, u64)> {
        self.files.iter().map(|(path, map)| (path.as_path(), map.len() as u64))
    }

    /// The first file that was written to, replaced or taken away since it was mapped. Its bytes may be the same all the same.
    pub(crate) fn touched(&self) -> Option<&Path> {
        let mut files = self.files.iter().zip(&self.stamps);
        files.find(|((path, _), stamp)| Stamp::of(path) != **stamp).map(|((path, _), _)| path.as_path())
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

    fn first_path(&self) -> PathBuf {
        self.files.first().map(|(path, _)| path.clone()).unwrap_or_default()
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
    let open = || {
        let file = MappedFile::open(path)?;
        irtune_files::check_fetched(&file)?;
        Ok(Arc::new(file))
    };
    open().map_err(|source| WeightError::Open { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;

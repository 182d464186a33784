//! GGUF files, version 2 and 3.
//!
//! The parser is our own because it has to do two things at once: hand out byte ranges of a memory-mapped file
//! without copying a value of it, and survive any bytes whatever. Every length is checked against what is left of
//! the file before it is used, nothing is reserved for a count that the file only claims, and no two tensors may
//! share a byte.
//!
//! # Source
//! The format's description in ggml, `docs/gguf.md`.

mod cursor;
mod error;
mod metadata;
mod tensors;
mod types;

use std::path::Path;

pub use error::GgufError;
pub use metadata::{Array, Metadata, Value};
pub use tensors::StoredTensor;
pub use types::TensorType;

use crate::base::{
    config::ModelConfig,
    weights::tensor::{Tensor, Tensors, UnreadTensor},
};
use cursor::Cursor;

/// Divisors of the rotary frequencies: part of the configuration, not a weight.
const ROPE_FACTORS: &str = "rope_freqs.weight";

/// What stands before the tensors' values.
#[derive(Debug)]
pub struct Header<'a> {
    /// Version of the format, 2 or 3.
    pub version: u32,
    /// Keys and values.
    pub metadata: Metadata<'a>,
    /// Where each tensor lies, by the file's own names.
    pub tensors: Vec<StoredTensor<'a>>,
    /// Bytes before the first tensor, padding included.
    pub data_start: usize,
    /// Tensors begin at multiples of it.
    pub alignment: usize,
    bytes: &'a [u8],
    path: &'a Path,
}

impl<'a> Header<'a> {
    /// Reads the header of a whole file; `path` is named in errors.
    ///
    /// # Errors
    /// When the bytes are no GGUF of a known version, are cut off, or contradict themselves.
    pub fn parse(bytes: &'a [u8], path: &'a Path) -> Result<Self, GgufError> {
        let mut cursor = Cursor::new(bytes, path);
        if !bytes.starts_with(b"GGUF") {
            let found = bytes[..bytes.len().min(4)].escape_ascii().to_string();
            return Err(GgufError::Magic { path: path.to_owned(), found });
        }
        cursor.take(4)?;
        let version = cursor.u32()?;
        if !(2..=3).contains(&version) {
            let big_endian = (1..=3).contains(&version.swap_bytes());
            return Err(match big_endian {
                true => GgufError::BigEndian { path: path.to_owned() },
                false => GgufError::Version { path: path.to_owned(), version },
            });
        }
        let tensor_count = cursor.u64()?;
        let value_count = cursor.u64()?;
        let metadata = Metadata::read(&mut cursor, value_count)?;
        let parts = metadata.get("split.count").and_then(Value::as_unsigned).unwrap_or(1);
        if parts > 1 {
            return Err(GgufError::Split { path: path.to_owned(), parts });
        }
        let alignment = alignment(&metadata, path)?;
        let infos = tensors::read_infos(&mut cursor, tensor_count)?;
        let data_start = cursor.position().checked_next_multiple_of(alignment);
        let data_start = data_start.ok_or_else(|| cursor.truncated(alignment))?;
        let tensors = tensors::locate(infos, data_start, alignment, bytes.len(), path)?;
        Ok(Self { version, metadata, tensors, data_start, alignment, bytes, path })
    }

    /// The tensor of this name in the file.
    pub fn tensor(&self, name: &str) -> Option<&StoredTensor<'a>> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// A tensor's bytes.
    pub fn bytes(&self, tensor: &StoredTensor<'_>) -> &'a [u8] {
        &self.bytes[tensor.bytes.clone()]
    }

    /// The file.
    pub fn path(&self) -> &'a Path {
        self.path
    }

    /// The tensors by transformers' names; those that the family stores in interleaved-rotary order are marked.
    ///
    /// # Errors
    /// When a tensor isn't one of the decoder's and could be a weight: it would be left out of the computation.
    pub(crate) fn translated(&self, config: &ModelConfig) -> Result<Tensors, GgufError> {
        let (family, head_size) = (config.family, config.head_size);
        let mut translated = Tensors::default();
        for tensor in self.tensors.iter().filter(|tensor| tensor.name != ROPE_FACTORS) {
            let (path, name) = (|| self.path.to_owned(), || tensor.name.to_owned());
            let place = family.place_of(tensor.name).filter(|place| config.has_place(place));
            if place.is_none() && tensor.stored.is_some_and(TensorType::is_no_weight) {
                continue;
            }
            let place = place.ok_or_else(|| GgufError::UnknownTensor {
                path: path(),
                tensor: name(),
                family: family.title,
            })?;
            let rows = tensor.shape[0];
            let whole_pairs = head_size > 0 && head_size.is_multiple_of(2) && rows.is_multiple_of(head_size);
            if place.interleaved && !whole_pairs {
                return Err(GgufError::Heads { path: path(), tensor: name(), rows, head_size });
            }
            let place_name = family.name_at(&place);
            let Some(format) = tensor.stored.and_then(|stored| stored.format) else {
                let (found, bytes) = (tensor.type_name(), tensor.bytes.clone());
                translated.unread.push(UnreadTensor { name: place_name, file: 0, found, bytes });
                continue;
            };
            translated.known.push(Tensor {
                name: place_name,
                shape: tensor.shape.clone(),
                format,
                file: 0,
                bytes: tensor.bytes.clone(),
                interleaved_head: place.interleaved.then_some(head_size),
                scales: None,
                shift: if place.plus_one { -1.0 } else { 0.0 },
            });
        }
        Ok(translated)
    }
}

fn alignment(metadata: &Metadata<'_>, path: &Path) -> Result<usize, GgufError> {
    let Some(value) = metadata.get("general.alignment") else { return Ok(32) };
    let alignment = value.as_unsigned().and_then(|value| u32::try_from(value).ok());
    let alignment = alignment.filter(|alignment| alignment.is_power_of_two());
    let alignment = alignment.and_then(|alignment| usize::try_from(alignment).ok());
    alignment.ok_or_else(|| GgufError::Alignment { path: path.to_owned(), found: value.to_string() })
}

#[cfg(test)]
mod tests;

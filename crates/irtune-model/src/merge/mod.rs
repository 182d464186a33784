//! Base and training as one model: a plain transformers folder of a classifier.

mod changes;
mod tensors;
mod tokenizer;

use std::{
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use irtune_files::write_file;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use changes::Changes;

use crate::{
    base::{Base, weights::WeightError},
    error::ModelError,
    head::{HeadInput, NamedHead},
};

/// How the values of a merged model are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergedType {
    /// f32: as irtune computes with them.
    #[default]
    F32,
    /// bf16: half the size, each value rounded to 8 significant bits.
    Bf16,
}

impl fmt::Display for MergedType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            MergedType::F32 => "f32",
            MergedType::Bf16 => "bf16",
        })
    }
}

impl FromStr for MergedType {
    type Err = UnknownMergedType;

    fn from_str(name: &str) -> Result<Self, UnknownMergedType> {
        match name {
            "f32" => Ok(MergedType::F32),
            "bf16" => Ok(MergedType::Bf16),
            _ => Err(UnknownMergedType { name: name.to_owned() }),
        }
    }
}

/// Not a type of merged values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a merged model can't be stored as `{name}`: take f32 or bf16")]
pub struct UnknownMergedType {
    /// What was given.
    pub name: String,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Merged {
    /// Number of tensors.
    pub tensors: usize,
    /// Bytes of all tensors.
    pub bytes: u64,
    /// Number of safetensors files.
    pub files: usize,
    /// Whether transformers needs the class that the folder brings: it has none for an edit head, nor for some families.
    pub trust_remote_code: bool,
}

/// Why a merged model can't be written.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields' names say what they are")]
pub enum MergeError {
    /// A file can't be written.
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// A file of the base can't be copied.
    #[error("cannot copy {}: {source}", path.display())]
    Copy { path: PathBuf, source: io::Error },
    /// A file of the base's tokenizer is damaged.
    #[error("{} is not a JSON object: {source}; copy the base again", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    /// The tensors can't be written as a file.
    #[error("cannot write {}: {source}", path.display())]
    Serialize { path: PathBuf, source: safetensors::SafeTensorError },
    /// The tokenizer can't be written.
    #[error("the base's tokenizer can't be written to {}: {source}", path.display())]
    Tokenizer { path: PathBuf, source: tokenizers::Error },
    /// The base was not left alone.
    #[error(transparent)]
    Base(#[from] WeightError),
    /// The adapter can't become part of its base.
    #[error(transparent)]
    Adapter(Box<ModelError>),
    /// What was trained doesn't fit the base.
    #[error("what was trained does not fit the base: {0}")]
    Tensors(Box<ModelError>),
}

/// The classes that transformers lacks: of a decoder with an edit head, and of families that it has no classifier of.
const MODELING: &str = include_str!("modeling_irtune.py");

/// Whether transformers lacks the class of a classifier with such a head.
fn needs_own_class(base: &Base, head: &HeadInput) -> bool {
    *head != HeadInput::Pooled || !base.config.family.text.unwrap_or(base.config.family).has_classifier
}

/// Bytes of tensors in a file, unless a single tensor is larger.
const SHARD_BYTES: u64 = 4 << 30;

/// Writes the trained classifier as a whole into an empty folder: `config.json`, `model.safetensors` (or shards of at
/// most 4 GiB with their index) and the base's tokenizer. With an edit head, or a base of a family that transformers has no
/// classifier of, `modeling_irtune.py` holds the class that it lacks, for `trust_remote_code`.
///
/// Tensors are made and written one after the other, so that memory holds only the largest. `progress` is told the bytes
/// that are done, and of how many.
///
/// # Errors
/// When the changes don't fit the base, the adapter is one that can't be merged, or something can't be written; what is in the folder is then of no use.
pub fn write_merged<'a>(
    folder: &Path,
    base: &Base,
    changes: &Changes<'_>,
    head: impl Into<NamedHead<'a>>,
    stored: MergedType,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Merged, MergeError> {
    let named = head.into();
    let head = named.unnamed();
    changes.check(base, &head)?;
    let mut config = base.config.to_transformers(named);
    // transformers 5 reads the first, 4 the second.
    for name in ["dtype", "torch_dtype"] {
        config[name] = tensors::transformers_name(stored).into();
    }
    if needs_own_class(base, &head.input) {
        let class = format!("modeling_irtune.{}", base.config.classifier_class(&head.input));
        config["auto_map"] = json!({"AutoModelForSequenceClassification": class});
        let path = folder.join("modeling_irtune.py");
        write_file(&path, MODELING.as_bytes()).map_err(|source| MergeError::Write { path, source })?;
    }
    let path = folder.join("config.json");
    write_file(&path, format!("{config:#}\n").as_bytes())
        .map_err(|source| MergeError::Write { path, source })?;
    tokenizer::write(folder, base)?;
    let merged = tensors::write(folder, base, changes, &head, stored, SHARD_BYTES, progress)?;
    base.check_unchanged()?;
    Ok(merged)
}

#[cfg(test)]
mod tests;

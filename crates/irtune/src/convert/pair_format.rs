//! What pairs are written as.

use std::path::Path;

use strum::{Display, EnumString, IntoStaticStr, VariantNames};

/// What pairs are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, VariantNames, IntoStaticStr)]
#[strum(serialize_all = "kebab-case", parse_err_ty = UnknownPairFormat, parse_err_fn = unknown)]
pub enum PairFormat {
    /// An object a line, under the names that training looks for.
    Jsonl,
    /// A table with a header.
    Csv,
    /// A Parquet file, as Hugging Face's `datasets` reads it.
    Parquet,
    /// Label Studio's tasks, with annotations and predictions.
    LabelStudio,
    /// doccano's lines for text classification.
    Doccano,
    /// Argilla's records, with responses and suggestions.
    Argilla,
    /// IteraTeR's lines of sentence pairs.
    Iterater,
    /// Re3-Sci's objects.
    Re3,
}

impl PairFormat {
    /// By the ending of a file's name.
    ///
    /// # Errors
    /// When the ending says nothing.
    pub fn of_path(path: &Path) -> Result<PairFormat, UnknownPairFormat> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match ending.parse() {
            Ok(format @ (PairFormat::Jsonl | PairFormat::Csv | PairFormat::Parquet)) => Ok(format),
            _ => Err(unknown(&ending)),
        }
    }

    /// Whether predictions have a place in it.
    pub fn takes_predictions(self) -> bool {
        matches!(self, PairFormat::LabelStudio | PairFormat::Argilla)
    }
}

/// No format of pairs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no format of pairs; there are {}", PairFormat::VARIANTS.join(", "))]
pub struct UnknownPairFormat {
    /// What was given.
    pub name: String,
}

fn unknown(name: &str) -> UnknownPairFormat {
    UnknownPairFormat { name: name.to_owned() }
}

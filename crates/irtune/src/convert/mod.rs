//! Pairs from one kind of file into another, and predictions into labelling tools: `irtune convert`.

mod converted;
mod json;
mod label_studio;
mod pair_format;
mod parquet;
mod predictions;
mod table;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use irtune_data::{DataError, Id};

pub use converted::Converted;
pub use pair_format::{PairFormat, UnknownPairFormat};
pub use predictions::WithPredictions;

/// Pairs can't be written.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A pair can't be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A prediction is none.
    #[error("{file}:{line}: {reason}")]
    Prediction {
        /// The file of predictions.
        file: String,
        /// Its line, counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// There are more pairs than predictions, or the other way round.
    #[error(
        "{file} has {predictions} predictions; there has to be one for each of the pairs, in their order"
    )]
    Predictions {
        /// The file of predictions.
        file: String,
        /// How many it has; of more, those that were looked at.
        predictions: String,
    },
    /// A prediction about another pair.
    #[error("{file}:{line}: the prediction is about {found}, and the pair in its place is {expected}")]
    OtherPair {
        /// The file of predictions.
        file: String,
        /// Its line, counted from 1.
        line: usize,
        /// What the prediction names.
        found: Id,
        /// What the pair is called.
        expected: Id,
    },
    /// Weights of labels where annotators are needed.
    #[error("{place}: weights of labels are no annotators' answers; write jsonl, csv or parquet")]
    Weights {
        /// The pair.
        place: String,
    },
    /// A file can't be written.
    #[error("the pairs can't be written: {0}")]
    Write(#[from] io::Error),
    /// A Parquet file can't be made.
    #[error("the Parquet file can't be made: {0}")]
    Parquet(#[from] ::parquet::errors::ParquetError),
}

/// Pairs with what a model says of them, as they come.
pub type ConvertedPairs<'a> = &'a mut dyn Iterator<Item = Result<Converted, ConvertError>>;

/// Writes pairs, as they come; only a Parquet file is held in memory. Says how many there were.
///
/// # Errors
/// When one can't be read or has no place in the format, or the file can't be written.
pub fn convert(
    format: PairFormat,
    pairs: ConvertedPairs<'_>,
    out: &mut dyn Write,
) -> Result<usize, ConvertError> {
    match format {
        PairFormat::Jsonl | PairFormat::Doccano | PairFormat::Iterater => {
            json::lines(pairs, out, |_, own| json::object(format, own))
        }
        PairFormat::Re3 | PairFormat::Argilla => json::array(pairs, out, |_, own| json::object(format, own)),
        PairFormat::LabelStudio => json::array(pairs, out, label_studio::task),
        PairFormat::Csv => table::csv(pairs, out),
        PairFormat::Parquet => parquet::file(pairs, out),
    }
}

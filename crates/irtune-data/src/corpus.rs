//! All pairs of a file.

use std::path::Path;
use std::sync::Arc;

use crate::columns::Columns;
use crate::error::DataError;
use crate::pair::Pair;
use crate::reader::{Labels, Pairs};
use crate::split::split;

/// The pairs of one file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    /// The file, as errors name it.
    pub file: Arc<str>,
    /// The pairs.
    pub pairs: Vec<Pair>,
    /// Rows left out for their label.
    pub dropped: usize,
}

impl Corpus {
    /// Reads a whole file.
    ///
    /// # Errors
    /// As [`Pairs`]: nothing is skipped, the first wrong row ends it.
    pub fn read(path: &Path, columns: &Columns, labels: Labels) -> Result<Corpus, DataError> {
        let mut reader = Pairs::open(path, columns, labels)?;
        let pairs = reader.by_ref().collect::<Result<_, _>>()?;
        Ok(Corpus { file: reader.file().clone(), pairs, dropped: reader.dropped() })
    }

    /// Holds out a fraction for validation, by document and stratified: (training, validation).
    ///
    /// # Errors
    /// As [`split`].
    pub fn split(self, fraction: f64, seed: u64) -> Result<(Corpus, Corpus), DataError> {
        let rows = split(&self.pairs, fraction, seed)?;
        let mut held_out = vec![false; self.pairs.len()];
        for &row in &rows.validation {
            held_out[row] = true;
        }
        let (validation, train): (Vec<_>, Vec<_>) =
            self.pairs.into_iter().zip(held_out).partition(|(_, held_out)| *held_out);
        let side = |pairs: Vec<(Pair, bool)>| pairs.into_iter().map(|(pair, _)| pair).collect();
        let train = Corpus { file: self.file.clone(), pairs: side(train), dropped: self.dropped };
        // What was dropped is told once, with the training side.
        let validation = Corpus { file: self.file, pairs: side(validation), dropped: 0 };
        Ok((train, validation))
    }
}

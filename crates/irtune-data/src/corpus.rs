//! All pairs of a file.

use std::path::Path;
use std::sync::Arc;

use crate::columns::Columns;
use crate::error::DataError;
use crate::fold::folds;
use crate::pair::Pair;
use crate::reader::{Labels, Pairs};
use crate::split::split;
use crate::subset::subset;

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
        Ok(self.divide(&held_out))
    }

    /// Holds out part `part`, counted from 1, of `parts` for a test: (training, test).
    ///
    /// # Errors
    /// As [`folds`].
    pub fn fold(self, part: usize, parts: usize) -> Result<(Corpus, Corpus), DataError> {
        let held_out: Vec<bool> = folds(&self.pairs, parts)?.iter().map(|found| found + 1 == part).collect();
        Ok(self.divide(&held_out))
    }

    /// Keeps `size` pairs, stratified, and in them those of every smaller size.
    ///
    /// # Errors
    /// As [`subset`].
    pub fn subset(self, size: usize, seed: u64) -> Result<Corpus, DataError> {
        let mut kept = vec![false; self.pairs.len()];
        for row in subset(&self.pairs, size, seed)? {
            kept[row] = true;
        }
        let dropped = self.dropped;
        let (_, kept) = self.divide(&kept);
        Ok(Corpus { dropped, ..kept })
    }

    /// The pairs that are not marked, and those that are.
    fn divide(self, marked: &[bool]) -> (Corpus, Corpus) {
        let (chosen, rest): (Vec<_>, Vec<_>) =
            self.pairs.into_iter().zip(marked).partition(|(_, marked)| **marked);
        let side = |pairs: Vec<(Pair, &bool)>| pairs.into_iter().map(|(pair, _)| pair).collect();
        let rest = Corpus { file: self.file.clone(), pairs: side(rest), dropped: self.dropped };
        // What was dropped is told once.
        (rest, Corpus { file: self.file, pairs: side(chosen), dropped: 0 })
    }
}

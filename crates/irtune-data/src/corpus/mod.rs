//! All pairs of a source.

pub(crate) mod source;

use std::sync::Arc;

use crate::error::DataError;
use crate::pair::Pair;
use crate::reader::Labels;
use crate::reader::columns::Columns;
use crate::sampling::folds::folds;
use crate::sampling::hold_out::hold_out;
use crate::sampling::subset::subset;
use source::CorpusSource;

/// The pairs of one source, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Corpus {
    /// The file, or what the rows are called, as errors name it.
    pub name: Arc<str>,
    /// The pairs.
    pub pairs: Vec<Pair>,
    /// Rows left out for their label.
    pub dropped: usize,
}

impl Corpus {
    /// Reads a whole source.
    ///
    /// # Errors
    /// As [`crate::Pairs`]: nothing is skipped, the first wrong row ends it.
    pub fn read(source: &CorpusSource, columns: &Columns, labels: Labels) -> Result<Corpus, DataError> {
        let mut reader = source.pairs(columns, labels)?;
        let pairs = reader.by_ref().collect::<Result<_, _>>()?;
        Ok(Corpus { name: reader.name().clone(), pairs, dropped: reader.dropped() })
    }

    /// Holds out a fraction for validation, by document and stratified: (training, validation).
    ///
    /// # Errors
    /// As [`hold_out`].
    pub fn hold_out(self, fraction: f64, seed: u64) -> Result<(Corpus, Corpus), DataError> {
        let rows = hold_out(&self.pairs, fraction, seed)?;
        let mut held_out = vec![false; self.pairs.len()];
        for &row in &rows.validation {
            held_out[row] = true;
        }
        Ok(self.divide(&held_out))
    }

    /// Takes fold `fold`, counted from 1, of `count` for a test: (training, test).
    ///
    /// # Errors
    /// As [`folds`].
    pub fn fold(self, fold: usize, count: usize) -> Result<(Corpus, Corpus), DataError> {
        let held_out: Vec<bool> = folds(&self.pairs, count)?.iter().map(|found| found + 1 == fold).collect();
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
        let rest = Corpus { name: self.name.clone(), pairs: side(rest), dropped: self.dropped };
        // What was dropped is told once.
        (rest, Corpus { name: self.name, pairs: side(chosen), dropped: 0 })
    }
}

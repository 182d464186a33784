//! All pairs of a source.

pub(crate) mod source;

use std::sync::Arc;

use crate::error::DataError;
use crate::pair::Pair;
use crate::reader::columns::Columns;
use crate::reader::{Labels, LeftOut};
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
    /// Rows that gave no pair.
    pub left_out: LeftOut,
}

impl Corpus {
    /// Reads a whole source.
    ///
    /// # Errors
    /// As [`crate::Pairs`]: the first wrong row ends it.
    pub fn read(source: &CorpusSource, columns: &Columns, labels: Labels) -> Result<Corpus, DataError> {
        let mut reader = source.pairs(columns, labels)?;
        let pairs = reader.by_ref().collect::<Result<_, _>>()?;
        Ok(Corpus { name: reader.name().clone(), pairs, left_out: reader.left_out().clone() })
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
        let left_out = self.left_out.clone();
        let (_, kept) = self.divide(&kept);
        Ok(Corpus { left_out, ..kept })
    }

    /// The pairs that are not marked, and those that are.
    fn divide(self, marked: &[bool]) -> (Corpus, Corpus) {
        let (chosen, rest): (Vec<_>, Vec<_>) =
            self.pairs.into_iter().zip(marked).partition(|(_, marked)| **marked);
        let side = |pairs: Vec<(Pair, &bool)>| pairs.into_iter().map(|(pair, _)| pair).collect();
        let rest = Corpus { name: self.name.clone(), pairs: side(rest), left_out: self.left_out };
        // What was left out is told once.
        (rest, Corpus { name: self.name, pairs: side(chosen), left_out: LeftOut::default() })
    }
}

//! From pairs to a sparse matrix: counters and their products, then the terms of each field.

mod counters;
mod scaler;
mod tfidf;

use irtune_data::{Change, Pair};
use sprs::{CsMat, TriMat};
use strum::IntoEnumIterator as _;

pub use counters::Counters;
pub use scaler::Scaler;
pub use tfidf::Tfidf;

use crate::terms::Field;

/// A term counts from so many pairs on.
const LEAST_PAIRS: usize = 2;

/// What turns a pair into numbers, fitted on training pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Of what is counted.
    pub(crate) counters: Counters,
    /// Of the terms, a vocabulary a field.
    pub(crate) fields: Vec<(Field, Tfidf)>,
}

impl Features {
    /// Vocabularies and scales of training pairs, and the matrix of these pairs, `[pairs, features]`.
    pub fn fit(pairs: &[Pair]) -> (Features, CsMat<f64>) {
        let changes: Vec<Change<'_>> = pairs.iter().map(change).collect();
        let counters = Counters::fit(&changes.iter().map(counted).collect::<Vec<_>>());
        let fields = Field::iter()
            .map(|field| {
                let terms: Vec<Vec<String>> = changes.iter().map(|change| field.terms(change)).collect();
                (field, Tfidf::fit(&terms, LEAST_PAIRS))
            })
            .collect();
        let features = Features { counters, fields };
        let matrix = features.of_changes(&changes);
        (features, matrix)
    }

    /// How many features there are.
    pub fn count(&self) -> usize {
        Counters::LEN + self.fields.iter().map(|(_, tfidf)| tfidf.len()).sum::<usize>()
    }

    /// The features of pairs, `[pairs, features]`.
    pub fn matrix(&self, pairs: &[Pair]) -> CsMat<f64> {
        self.of_changes(&pairs.iter().map(change).collect::<Vec<_>>())
    }

    fn of_changes(&self, changes: &[Change<'_>]) -> CsMat<f64> {
        let mut entries = TriMat::new((changes.len(), self.count()));
        for (row, change) in changes.iter().enumerate() {
            for (column, value) in self.counters.row(&counted(change)).into_iter().enumerate() {
                entries.add_triplet(row, column, value);
            }
            let mut start = Counters::LEN;
            for (field, tfidf) in &self.fields {
                for (column, value) in tfidf.row(&field.terms(change)) {
                    entries.add_triplet(row, start + column, value);
                }
                start += tfidf.len();
            }
        }
        entries.to_csr()
    }
}

fn change(pair: &Pair) -> Change<'_> {
    Change::of(&pair.original, &pair.revised)
}

fn counted(change: &Change<'_>) -> Vec<f64> {
    change.counters().into_iter().map(f64::from).collect()
}

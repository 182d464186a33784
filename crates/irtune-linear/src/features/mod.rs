//! From pairs to numbers: counters and their products, then the terms of each field.

mod counters;
mod design;
mod scaler;
mod tfidf;

use irtune_data::{Change, Pair};
use sprs::TriMat;
use strum::IntoEnumIterator as _;

pub use counters::Counters;
pub use design::Design;
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
    /// Vocabularies and scales of training pairs, and the features of these pairs.
    pub fn fit(pairs: &[Pair]) -> (Features, Design) {
        let changes: Vec<Change<'_>> = pairs.iter().map(change).collect();
        let counters = Counters::fit(&changes.iter().map(Counters::count).collect::<Vec<_>>());
        let fields = Field::iter()
            .map(|field| {
                let terms: Vec<Vec<String>> = changes.iter().map(|change| field.terms(change)).collect();
                (field, Tfidf::fit(&terms, LEAST_PAIRS))
            })
            .collect();
        let features = Features { counters, fields };
        let design = features.of_changes(&changes);
        (features, design)
    }

    /// How many terms there are, in all fields.
    pub fn terms(&self) -> usize {
        self.fields.iter().map(|(_, tfidf)| tfidf.len()).sum()
    }

    /// The features of pairs.
    pub fn design(&self, pairs: &[Pair]) -> Design {
        self.of_changes(&pairs.iter().map(change).collect::<Vec<_>>())
    }

    fn of_changes(&self, changes: &[Change<'_>]) -> Design {
        let counted = changes.iter().flat_map(|change| self.counters.row(&Counters::count(change)));
        let mut terms = TriMat::new((changes.len(), self.terms()));
        for (row, change) in changes.iter().enumerate() {
            let mut start = 0;
            for (field, tfidf) in &self.fields {
                for (column, value) in tfidf.row(&field.terms(change)) {
                    terms.add_triplet(row, start + column, value);
                }
                start += tfidf.len();
            }
        }
        Design::new(counted.collect(), Counters::LEN, terms.to_csr())
    }
}

fn change(pair: &Pair) -> Change<'_> {
    Change::of(&pair.original, &pair.revised)
}

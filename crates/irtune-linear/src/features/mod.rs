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
        let seen = Seen::of(Field::iter(), pairs);
        let counters = Counters::fit(&seen.counted);
        let tfidf = |(field, documents): (Field, &Vec<_>)| (field, Tfidf::fit(documents, LEAST_PAIRS));
        let features = Features { counters, fields: Field::iter().zip(&seen.terms).map(tfidf).collect() };
        let design = features.of(&seen);
        (features, design)
    }

    /// How many terms there are, in all fields.
    pub fn terms(&self) -> usize {
        self.fields.iter().map(|(_, tfidf)| tfidf.len()).sum()
    }

    /// The features of pairs.
    pub fn design(&self, pairs: &[Pair]) -> Design {
        self.of(&Seen::of(self.fields.iter().map(|(field, _)| *field), pairs))
    }

    fn of(&self, seen: &Seen) -> Design {
        let counted = seen.counted.iter().flat_map(|counted| self.counters.row(counted));
        let mut terms = TriMat::new((seen.counted.len(), self.terms()));
        let mut start = 0;
        for ((_, tfidf), documents) in self.fields.iter().zip(&seen.terms) {
            for (row, document) in documents.iter().enumerate() {
                for (column, value) in tfidf.row(document) {
                    terms.add_triplet(row, start + column, value);
                }
            }
            start += tfidf.len();
        }
        Design::new(counted.collect(), Counters::LEN, terms.to_csr())
    }
}

/// What is seen of pairs, before it is weighted.
struct Seen {
    /// What is counted, by pair.
    counted: Vec<Vec<f64>>,
    /// The terms, by field and pair.
    terms: Vec<Vec<Vec<String>>>,
}

impl Seen {
    fn of(fields: impl Iterator<Item = Field>, pairs: &[Pair]) -> Seen {
        let changes: Vec<Change<'_>> =
            pairs.iter().map(|pair| Change::of(&pair.original, &pair.revised)).collect();
        let terms = |field: Field| changes.iter().map(|change| field.terms(change)).collect();
        Seen { counted: changes.iter().map(Counters::count).collect(), terms: fields.map(terms).collect() }
    }
}

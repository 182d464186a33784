//! The features of pairs: some numbers that every pair has, and many that most pairs lack.

use sprs::CsMat;

/// The features of pairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Design {
    /// What every pair has, `[pairs, columns]`, row-major.
    dense: Vec<f64>,
    columns: usize,
    /// What most pairs lack, `[pairs, terms]`.
    sparse: CsMat<f64>,
}

impl Design {
    /// Features of `columns` numbers that every pair has, `[pairs, columns]`, and of terms, `[pairs, terms]`.
    ///
    /// # Panics
    /// When there are not as many pairs in both.
    pub fn new(dense: Vec<f64>, columns: usize, sparse: CsMat<f64>) -> Design {
        assert_eq!(dense.len(), columns * sparse.rows(), "as many pairs in both");
        assert!(sparse.is_csr(), "terms are stored by pairs");
        Design { dense, columns, sparse }
    }

    /// How many numbers every pair has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many terms there are.
    pub fn terms(&self) -> usize {
        self.sparse.cols()
    }

    /// How many pairs there are.
    pub fn pairs(&self) -> usize {
        self.sparse.rows()
    }

    /// Each pair's numbers, and the places and values of its terms.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&[f64], &[usize], &[f64])> {
        self.sparse.outer_iterator().enumerate().map(|(pair, terms)| {
            let (places, values) = terms.into_raw_storage();
            (&self.dense[pair * self.columns..][..self.columns], places, values)
        })
    }
}

//! The features of pairs: some numbers that every pair has, and many that most pairs lack.

use nalgebra::DMatrix;
use sprs::CsMat;
use std::sync::OnceLock;

/// The features of pairs.
#[derive(Debug, Clone)]
pub struct Design {
    /// What every pair has, `[pairs, columns]`, row-major.
    dense: Vec<f64>,
    columns: usize,
    /// What most pairs lack, `[pairs, terms]`.
    sparse: CsMat<f64>,
    /// Made when it is first asked for.
    gram: OnceLock<DMatrix<f64>>,
}

impl Design {
    /// Features of `columns` numbers that every pair has, `[pairs, columns]`, and of terms, `[pairs, terms]`.
    ///
    /// # Panics
    /// When there are not as many pairs in both.
    pub fn new(dense: Vec<f64>, columns: usize, sparse: CsMat<f64>) -> Design {
        assert_eq!(dense.len(), columns * sparse.rows(), "as many pairs in both");
        assert!(sparse.is_csr(), "terms are stored by pairs");
        Design { dense, columns, sparse, gram: OnceLock::new() }
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

    /// Means over the pairs of the products of every two numbers: its lower triangle.
    pub(crate) fn gram(&self) -> &DMatrix<f64> {
        self.gram.get_or_init(|| {
            let mut gram = DMatrix::zeros(self.columns, self.columns);
            for row in self.dense.chunks_exact(self.columns.max(1)) {
                for (column, number) in row.iter().enumerate() {
                    // Below the diagonal, where a column lies one after the other.
                    let sums =
                        &mut gram.as_mut_slice()[column * (self.columns + 1)..(column + 1) * self.columns];
                    sums.iter_mut().zip(&row[column..]).for_each(|(sum, other)| *sum += number * other);
                }
            }
            gram / self.pairs().max(1) as f64
        })
    }

    /// Means over the pairs of each term's square.
    pub(crate) fn squares(&self) -> Vec<f64> {
        let mut squares = vec![0.0; self.terms()];
        for (_, places, values) in self.rows() {
            places.iter().zip(values).for_each(|(&place, value)| squares[place] += value * value);
        }
        squares.iter_mut().for_each(|square| *square /= self.pairs().max(1) as f64);
        squares
    }

    /// Each pair's numbers, and the places and values of its terms.
    pub fn rows(&self) -> impl Iterator<Item = (&[f64], &[usize], &[f64])> {
        self.sparse.outer_iterator().enumerate().map(|(pair, terms)| {
            let (places, values) = terms.into_raw_storage();
            (&self.dense[pair * self.columns..][..self.columns], places, values)
        })
    }
}

//! What an attention reads.

use irtune_device::AttentionShape;

use crate::matrix::Matrix;

/// Queries, keys and values of an attention.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a, E> {
    /// `[query rows, heads · head_size]`
    pub queries: Matrix<'a, E>,
    /// `[key rows, key_value_heads · head_size]`
    pub keys: Matrix<'a, E>,
    /// `[key rows, key_value_heads · head_size]`
    pub values: Matrix<'a, E>,
}

impl<E> Inputs<'_, E> {
    pub(super) fn check(&self, shape: &AttentionShape) {
        shape.check();
        for (matrix, rows, columns) in [
            (&self.queries, shape.query_rows(), shape.query_columns()),
            (&self.keys, shape.key_rows(), shape.key_columns()),
            (&self.values, shape.key_rows(), shape.key_columns()),
        ] {
            matrix.check();
            assert_eq!((matrix.rows, matrix.columns), (rows, columns), "shape of attention rows");
        }
    }
}

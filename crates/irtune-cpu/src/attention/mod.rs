//! Causal grouped-query attention over packed examples that share beginnings, forward and backward.
//!
//! The packed rows are segments, one after the other. A segment continues its parent, and so on up to a root: its
//! queries see all rows of the segments above it and, causally, its own. Queries may be fewer than keys (the last layer
//! asks for one an example): they are then the *last* ones of their segment.

mod backward;
mod forward;
mod head;

pub use backward::{Gradients, backward};
pub use forward::forward;

use crate::matrix::Matrix;

pub use irtune_device::{AttentionShape as Shape, Segment};

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
    fn check(&self, shape: &Shape) {
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

//! Causal grouped-query attention over packed examples that share a prefix, forward and backward.
//!
//! Key rows are `[prefix | example 0 | example 1 | …]`. Every example's queries see the whole prefix and, causally,
//! their own keys; the prefix sees itself. Queries may be fewer than keys (the last layer asks for one an example):
//! they are then the *last* ones of their segment.

mod backward;
mod forward;
mod head;

pub use backward::{Gradients, backward};
pub use forward::forward;

use crate::matrix::Matrix;

/// One example, or the prefix itself, in the packed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First query row.
    pub first_query: usize,
    /// Query rows, at most `keys`.
    pub queries: usize,
    /// First own key row.
    pub first_key: usize,
    /// Own key rows.
    pub keys: usize,
    /// Rows of the prefix (they start at key row 0) seen before the own ones; 0 for the prefix itself.
    pub prefix: usize,
}

impl Segment {
    /// Keys a query of the segment may look at, prefix and own.
    pub(crate) fn reach(&self) -> usize {
        self.prefix + self.keys
    }

    /// Keys that query `index` sees.
    pub(crate) fn visible(&self, index: usize) -> usize {
        self.prefix + self.keys - self.queries + index + 1
    }
}

/// Sizes of an attention and the segments it runs over.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; each serves `heads / key_value_heads` query heads.
    pub key_value_heads: usize,
    /// Values a head.
    pub head_size: usize,
    /// All segments; when there is a prefix, it is the first.
    pub segments: &'a [Segment],
}

impl Shape<'_> {
    pub(crate) fn group(&self) -> usize {
        self.heads / self.key_value_heads
    }

    pub(crate) fn query_columns(&self) -> usize {
        self.heads * self.head_size
    }

    pub(crate) fn key_columns(&self) -> usize {
        self.key_value_heads * self.head_size
    }

    /// `1 / √head_size`
    pub(crate) fn scale(&self) -> f32 {
        1.0 / (self.head_size as f32).sqrt()
    }

    /// Query rows of all segments.
    pub fn query_rows(&self) -> usize {
        self.segments.iter().map(|segment| segment.queries).sum()
    }

    /// Key rows of all segments.
    pub fn key_rows(&self) -> usize {
        self.segments.iter().map(|segment| segment.keys).sum()
    }

    /// Rows of the shared prefix.
    pub fn prefix(&self) -> usize {
        self.segments.iter().map(|segment| segment.prefix).max().unwrap_or(0)
    }

    fn check(&self) {
        assert!(self.heads.is_multiple_of(self.key_value_heads), "whole groups of heads");
        let (mut query, mut key) = (0, 0);
        for (index, segment) in self.segments.iter().enumerate() {
            assert!(
                (segment.first_query, segment.first_key) == (query, key),
                "segments in order, without gaps"
            );
            assert!(segment.queries <= segment.keys, "queries are the last rows of their segment");
            assert!(
                segment.prefix == 0 || (index > 0 && segment.prefix == self.segments[0].keys),
                "prefix is segment 0"
            );
            (query, key) = (query + segment.queries, key + segment.keys);
        }
    }
}

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

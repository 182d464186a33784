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

/// A stretch of the packed rows: what several examples begin with, or the rest of one.
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
    /// The segment it continues, earlier in the list.
    pub parent: Option<usize>,
    /// Key rows of all segments above it.
    pub context: usize,
    /// Whether others continue it.
    pub shared: bool,
    /// First of its rows in [`Gradients::partial`]: those above it, and its own if it is shared.
    pub first_partial: usize,
}

impl Segment {
    /// Keys a query of the segment may look at, own ones and those above.
    pub(crate) fn reach(&self) -> usize {
        self.context + self.keys
    }

    /// Keys that query `index` sees.
    pub(crate) fn visible(&self, index: usize) -> usize {
        self.context + self.keys - self.queries + index + 1
    }

    /// Rows it has in [`Gradients::partial`].
    pub fn partial_rows(&self) -> usize {
        self.context + if self.shared { self.keys } else { 0 }
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
    /// All segments, parents before children.
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

    /// Rows of [`Gradients::partial`].
    pub fn partial_rows(&self) -> usize {
        self.segments.iter().map(Segment::partial_rows).sum()
    }

    /// Segment `index` and those above it, from itself up.
    pub(crate) fn path(&self, index: usize) -> impl Iterator<Item = &Segment> {
        std::iter::successors(Some(&self.segments[index]), |segment| {
            segment.parent.map(|parent| &self.segments[parent])
        })
    }

    fn check(&self) {
        assert!(self.heads.is_multiple_of(self.key_value_heads), "whole groups of heads");
        let (mut query, mut key, mut partial) = (0, 0, 0);
        for (index, segment) in self.segments.iter().enumerate() {
            assert!(
                (segment.first_query, segment.first_key, segment.first_partial) == (query, key, partial),
                "segments in order, without gaps"
            );
            assert!(segment.queries <= segment.keys, "queries are the last rows of their segment");
            let above = segment.parent.map_or(0, |parent| {
                assert!(parent < index && self.segments[parent].shared, "parents are shared and come first");
                self.segments[parent].reach()
            });
            assert_eq!(segment.context, above, "rows above a segment");
            query += segment.queries;
            key += segment.keys;
            partial += segment.partial_rows();
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

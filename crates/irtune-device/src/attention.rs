//! What an attention runs over: heads, and the segments of the packed rows.

use crate::{Memory, RowSet, Segment};

/// Sizes of an attention and the segments it runs over.
#[derive(Clone, Copy, Debug)]
pub struct AttentionShape<'a> {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; each serves `heads / key_value_heads` query heads.
    pub key_value_heads: usize,
    /// Values a head.
    pub head_size: usize,
    /// How scores are made.
    pub scores: Scores,
    /// All segments, parents before children.
    pub segments: &'a [Segment],
}

/// How attention makes scores of products of queries and keys, and which of them count.
///
/// # Source
/// Windows: Beltagy et al., "Longformer", 2020. Caps: Gemma Team, "Gemma 2", 2024.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// What products are multiplied by.
    pub scale: f32,
    /// How many keys a query sees, its own position's included; all before it where there is none.
    pub window: Option<usize>,
    /// What scores are bent to stay below: `cap · tanh(score / cap)`.
    pub cap: Option<f32>,
}

impl Scores {
    /// Of heads of so many values: multiplied by `1 / √head_size`, without window or cap.
    pub fn plain(head_size: usize) -> Self {
        Self { scale: 1.0 / (head_size as f32).sqrt(), window: None, cap: None }
    }

    /// The first of the `visible` keys that a query sees.
    #[inline]
    pub fn first_seen(&self, visible: usize) -> usize {
        self.window.map_or(0, |window| visible.saturating_sub(window))
    }
}

impl AttentionShape<'_> {
    /// Query heads that share a key head.
    pub fn group(&self) -> usize {
        self.heads / self.key_value_heads
    }

    /// Columns of queries: `heads · head_size`.
    pub fn query_columns(&self) -> usize {
        self.heads * self.head_size
    }

    /// Columns of keys and of values: `key_value_heads · head_size`.
    pub fn key_columns(&self) -> usize {
        self.key_value_heads * self.head_size
    }

    /// Query rows of all segments.
    pub fn query_rows(&self) -> usize {
        self.segments.iter().map(|segment| segment.queries).sum()
    }

    /// Key rows of all segments.
    pub fn key_rows(&self) -> usize {
        self.segments.iter().map(|segment| segment.keys).sum()
    }

    /// Rows of [`AttentionGradients::partial`].
    pub fn partial_rows(&self) -> usize {
        self.segments.iter().map(Segment::partial_rows).sum()
    }

    /// Segment `index` and those above it, from itself up.
    pub fn path(&self, index: usize) -> impl Iterator<Item = &Segment> {
        std::iter::successors(Some(&self.segments[index]), |segment| {
            segment.parent.map(|parent| &self.segments[parent])
        })
    }

    /// Checks that the segments form a tree without gaps.
    ///
    /// # Panics
    /// When they don't: that is a mistake of the caller.
    pub fn check(&self) {
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

/// An attention in a pass: its heads, and the rows that ask.
pub struct Attention<'a, D: Memory + ?Sized> {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; each serves `heads / key_value_heads` query heads.
    pub key_value_heads: usize,
    /// Values a head.
    pub head_size: usize,
    /// How scores are made.
    pub scores: Scores,
    /// The batch.
    pub layout: &'a D::Layout,
    /// Which rows are queries; keys are all.
    pub queries: RowSet,
}

/// Queries, keys and values, each with its rows at the beginning of a buffer.
pub struct AttentionInputs<'a, D: Memory + ?Sized> {
    /// `[query rows, heads · head_size]`
    pub queries: &'a D::Operands,
    /// `[key rows, key_value_heads · head_size]`
    pub keys: &'a D::Operands,
    /// `[key rows, key_value_heads · head_size]`
    pub values: &'a D::Operands,
}

/// What an attention's forward left: its output and, for each query row and head, the logarithm of the sum of
/// exponentials.
pub struct AttentionOutputs<'a, D: Memory + ?Sized> {
    /// `[query rows, heads · head_size]`
    pub out: &'a D::Operands,
    /// `[query rows, heads]`
    pub logsumexp: &'a D::Floats,
}

/// Gradients of [`AttentionInputs`], and f32 working memory.
pub struct AttentionGradients<'a, D: Memory + ?Sized> {
    /// `[query rows, heads · head_size]`
    pub queries: &'a mut D::Operands,
    /// `[key rows, key_value_heads · head_size]`
    pub keys: &'a mut D::Operands,
    /// `[key rows, key_value_heads · head_size]`
    pub values: &'a mut D::Operands,
    /// `[partial rows, 2 · key_value_heads · head_size]`: what segments add to rows that others see too.
    pub partial: &'a mut D::Floats,
}

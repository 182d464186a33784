//! What a batch looks like: the tree of its rows, and what belongs to each row.
//!
//! A batch is packed: one matrix of token rows without padding. What several examples begin with is there once, so the
//! rows form a tree of [`Segment`]s, the shared prefix tree. An example is a path from a root to an end.

use crate::{Pooling, Targets};

/// A stretch of the packed rows: what several examples begin with, or the rest of one.
///
/// Its queries see all rows of the segments above it and, causally, its own. Queries may be fewer than keys: they are
/// then the *last* rows of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First query row.
    pub first_query: usize,
    /// Query rows, at most `keys`.
    pub queries: usize,
    /// First own key row.
    pub first_key: usize,
    /// Own key rows, at least one.
    pub keys: usize,
    /// The segment it continues, earlier in the list.
    pub parent: Option<usize>,
    /// Key rows of all segments above it: the position of its first row.
    pub context: usize,
    /// Whether others continue it; one that none does is an example's end.
    pub shared: bool,
    /// First of its rows in [`AttentionGradients::partial`](crate::AttentionGradients::partial): those above it, and its
    /// own if it is shared.
    pub first_partial: usize,
}

impl Segment {
    /// Keys a query of the segment may look at, own ones and those above.
    #[inline]
    pub fn reach(&self) -> usize {
        self.context + self.keys
    }

    /// Keys that query `index` sees.
    #[inline]
    pub fn visible(&self, index: usize) -> usize {
        self.context + self.keys - self.queries + index + 1
    }

    /// Rows it has in [`AttentionGradients::partial`](crate::AttentionGradients::partial).
    #[inline]
    pub fn partial_rows(&self) -> usize {
        self.context + if self.shared { self.keys } else { 0 }
    }
}

/// Which rows of a batch an operation runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSet {
    /// Every token row.
    All,
    /// The rows that are read after the last layer: the end of every example, those from a segment's first changed token
    /// on, or those before tokens that are asked for.
    Read,
}

/// A token that a row is asked for: how likely it is as the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pick {
    /// Among the rows that are read.
    pub row: u32,
    /// The token's id.
    pub token: u32,
    /// What it counts in a loss.
    pub share: f64,
}

/// Everything about a batch but its numbers; a device takes it once a pass.
#[derive(Debug, Default, PartialEq)]
pub struct BatchLayout {
    /// Token ids, `[tokens]`.
    pub tokens: Vec<u32>,
    /// Position of every token row.
    pub positions: Vec<u32>,
    /// The segments with every row a query; parents before children, without gaps.
    pub segments: Vec<Segment>,
    /// A number that stands for the tokens of a row's example up to it, by token row: what its dropout depends on.
    pub keys: Vec<u64>,
    /// How many examples each token row is a part of.
    pub shares: Vec<u32>,
    /// Which token rows are read after the last layer.
    pub read: Vec<u32>,
    /// Their positions.
    pub read_positions: Vec<u32>,
    /// The segments with only the rows that are read as queries.
    pub read_segments: Vec<Segment>,
    /// Keys of the rows that are read.
    pub read_keys: Vec<u64>,
    /// What a head reads of each example; no sums when that is the rows that are read.
    pub pooling: Pooling,
    /// The class of each example, where a head classifies and targets are known; in the order of their ends.
    pub classes: Vec<u32>,
    /// The share of each class in each of these rows, where targets are distributions; classes then say nothing.
    pub distributions: Vec<f32>,
    /// 1 for each label that each of these rows has, 0 for the others, where a row may have several; classes and
    /// distributions then say nothing.
    pub labels: Vec<f32>,
    /// The tokens that rows are asked for, where the language-model head classifies; in the order of their rows.
    pub picks: Vec<Pick>,
}

impl Clone for BatchLayout {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        copy.clone_from(self);
        copy
    }

    /// Copies into the memory that is there, so that a warm pass allocates nothing.
    fn clone_from(&mut self, from: &Self) {
        self.tokens.clone_from(&from.tokens);
        self.positions.clone_from(&from.positions);
        self.segments.clone_from(&from.segments);
        self.keys.clone_from(&from.keys);
        self.shares.clone_from(&from.shares);
        self.read.clone_from(&from.read);
        self.read_positions.clone_from(&from.read_positions);
        self.read_segments.clone_from(&from.read_segments);
        self.read_keys.clone_from(&from.read_keys);
        self.pooling.clone_from(&from.pooling);
        self.classes.clone_from(&from.classes);
        self.distributions.clone_from(&from.distributions);
        self.labels.clone_from(&from.labels);
        self.picks.clone_from(&from.picks);
    }
}

impl BatchLayout {
    /// What the examples should be told as.
    pub fn targets(&self) -> Targets<'_> {
        match (self.labels.is_empty(), self.distributions.is_empty()) {
            (false, _) => Targets::Labels(&self.labels),
            (true, false) => Targets::Distributions(&self.distributions),
            (true, true) => Targets::Classes(&self.classes),
        }
    }

    /// Number of rows.
    pub fn rows(&self, set: RowSet) -> usize {
        match set {
            RowSet::All => self.positions.len(),
            RowSet::Read => self.read.len(),
        }
    }

    /// Positions of the rows.
    pub fn positions(&self, set: RowSet) -> &[u32] {
        match set {
            RowSet::All => &self.positions,
            RowSet::Read => &self.read_positions,
        }
    }

    /// Keys of the rows.
    pub fn keys(&self, set: RowSet) -> &[u64] {
        match set {
            RowSet::All => &self.keys,
            RowSet::Read => &self.read_keys,
        }
    }

    /// The segments whose queries are the rows.
    pub fn segments(&self, set: RowSet) -> &[Segment] {
        match set {
            RowSet::All => &self.segments,
            RowSet::Read => &self.read_segments,
        }
    }

    /// Positions the batch reaches.
    pub fn longest(&self) -> usize {
        self.positions.iter().max().map_or(0, |&position| position as usize + 1)
    }

    /// Rows of working memory that attention's backward needs for what segments share.
    pub fn partial_rows(&self) -> usize {
        self.segments.iter().map(Segment::partial_rows).sum()
    }
}

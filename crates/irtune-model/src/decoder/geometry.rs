//! Where everything of a packed batch is: positions, attention segments, pooled rows, dropout keys.

use crate::{
    batch::PackedBatch,
    device::{AttentionShape, Segment},
    engine::DropoutKey,
};

/// Number that stands for the shared prefix where others have an example's number.
const PREFIX: u64 = u64::MAX;

/// A batch as the layers see it; kept and refilled, so that a warm step allocates nothing.
#[derive(Default)]
pub(crate) struct Geometry {
    /// Of every token row.
    positions: Vec<u32>,
    /// Of the pooled rows.
    pooled_positions: Vec<u32>,
    /// The last row of every example.
    pooled: Vec<u32>,
    /// Every row asks.
    segments: Vec<Segment>,
    /// Only the pooled rows ask.
    pooled_segments: Vec<Segment>,
    /// What a row's dropout depends on: its example in the step and its position.
    keys: Vec<u64>,
    pooled_keys: Vec<u64>,
    /// Rows of the shared prefix.
    pub(crate) prefix: usize,
}

/// The rows that a layer computes: all of them, or in the last layer the pooled ones.
pub(crate) struct Rows<'a> {
    /// Rows of queries, attention output and MLP.
    pub(crate) queries: usize,
    /// Rows of keys and values.
    pub(crate) tokens: usize,
    /// Which token rows the query rows are, if not all.
    pub(crate) picked: Option<&'a [u32]>,
    pub(crate) query_positions: &'a [u32],
    pub(crate) key_positions: &'a [u32],
    pub(crate) segments: &'a [Segment],
    pub(crate) query_keys: &'a [u64],
    pub(crate) token_keys: &'a [u64],
}

impl Geometry {
    /// Describes `batch`; `dropout` numbers its examples within the step.
    pub(crate) fn fill(&mut self, batch: &PackedBatch, dropout: Option<&DropoutKey>) {
        let Self {
            positions,
            pooled_positions,
            pooled,
            segments,
            pooled_segments,
            keys,
            pooled_keys,
            prefix,
        } = self;
        for list in [&mut *positions, &mut *pooled_positions, &mut *pooled] {
            list.clear();
        }
        segments.clear();
        pooled_segments.clear();
        keys.clear();
        pooled_keys.clear();
        *prefix = batch.prefix;
        let first_example = dropout.map_or(0, |key| key.first_example);
        let row_key =
            |example: u64, position: usize| irtune_kernels::dropout::key(&[example, position as u64]);
        for position in 0..batch.prefix {
            positions.push(position as u32);
            keys.push(row_key(PREFIX, position));
        }
        if batch.prefix > 0 {
            let own = Segment {
                first_query: 0,
                queries: batch.prefix,
                first_key: 0,
                keys: batch.prefix,
                prefix: 0,
            };
            segments.push(own);
            pooled_segments.push(Segment { queries: 0, ..own });
        }
        for example in 0..batch.examples() {
            let (start, end) = (batch.offsets[example], batch.offsets[example + 1]);
            for position in batch.prefix..batch.prefix + end - start {
                positions.push(position as u32);
                keys.push(row_key(first_example + example as u64, position));
            }
            let own = Segment {
                first_query: start,
                queries: end - start,
                first_key: start,
                keys: end - start,
                prefix: batch.prefix,
            };
            segments.push(own);
            pooled_segments.push(Segment { first_query: example, queries: 1, ..own });
            pooled.push(end as u32 - 1);
            pooled_positions.push(positions[end - 1]);
            pooled_keys.push(keys[end - 1]);
        }
    }

    /// Token rows.
    pub(crate) fn tokens(&self) -> usize {
        self.positions.len()
    }

    /// Pooled rows.
    pub(crate) fn examples(&self) -> usize {
        self.pooled.len()
    }

    /// Positions the batch reaches.
    pub(crate) fn longest(&self) -> usize {
        self.positions.iter().max().map_or(0, |&position| position as usize + 1)
    }

    /// Attention segments, prefix included.
    pub(crate) fn segments(&self) -> usize {
        self.segments.len()
    }

    /// What a layer computes: the last one only what the head reads.
    pub(crate) fn rows(&self, last: bool) -> Rows<'_> {
        let tokens = self.tokens();
        if last {
            Rows {
                queries: self.examples(),
                tokens,
                picked: Some(&self.pooled),
                query_positions: &self.pooled_positions,
                key_positions: &self.positions,
                segments: &self.pooled_segments,
                query_keys: &self.pooled_keys,
                token_keys: &self.keys,
            }
        } else {
            Rows {
                queries: tokens,
                tokens,
                picked: None,
                query_positions: &self.positions,
                key_positions: &self.positions,
                segments: &self.segments,
                query_keys: &self.keys,
                token_keys: &self.keys,
            }
        }
    }
}

impl<'a> Rows<'a> {
    pub(crate) fn attention(&self, config: &crate::config::ModelConfig) -> AttentionShape<'a> {
        AttentionShape {
            heads: config.heads,
            key_value_heads: config.key_value_heads,
            head_size: config.head_size,
            segments: self.segments,
        }
    }
}

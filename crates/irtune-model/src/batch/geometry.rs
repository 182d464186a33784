//! Where everything of a packed batch is: positions, attention segments, pooled rows, dropout keys.

use irtune_device::{Segment, mix_key};

use super::PackedBatch;

/// A batch as the layers see it; kept and refilled, so that a warm step allocates nothing.
#[derive(Default)]
pub(crate) struct Geometry {
    /// Of every token row.
    positions: Vec<u32>,
    /// Of the pooled rows.
    pooled_positions: Vec<u32>,
    /// The rows that are read after the last layer: the last one of every example, or those before the tokens of words.
    pooled: Vec<u32>,
    /// Every row asks.
    segments: Vec<Segment>,
    /// Only the pooled rows ask.
    pooled_segments: Vec<Segment>,
    /// A number that stands for the tokens of a row's example up to it; what its dropout depends on.
    keys: Vec<u64>,
    pooled_keys: Vec<u64>,
    /// The examples in the order of their ends: that of the pooled rows, when there is one an example.
    pub(crate) order: Vec<usize>,
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
    /// Describes `batch`.
    pub(crate) fn fill(&mut self, batch: &PackedBatch) {
        let Self { positions, pooled_positions, pooled, segments, pooled_segments, keys, pooled_keys, order } =
            self;
        for list in [&mut *positions, &mut *pooled_positions, &mut *pooled] {
            list.clear();
        }
        segments.clear();
        pooled_segments.clear();
        keys.clear();
        pooled_keys.clear();
        order.clone_from(&batch.order);
        let mut partial = 0;
        for run in &batch.runs {
            let end = run.start + run.length;
            let mut key = run.parent.map_or(0, |parent| {
                let above = &batch.runs[parent];
                keys[above.start + above.length - 1]
            });
            for (place, token) in batch.tokens[run.start..end].iter().enumerate() {
                positions.push((run.context + place) as u32);
                // A token more makes another key, so rows have the same masks however examples are packed.
                key = mix_key(&[key, u64::from(*token)]);
                keys.push(key);
            }
            let own = Segment {
                first_query: run.start,
                queries: run.length,
                first_key: run.start,
                keys: run.length,
                parent: run.parent,
                context: run.context,
                shared: run.shared,
                first_partial: partial,
            };
            partial += own.partial_rows();
            segments.push(own);
            pooled_segments.push(Segment { first_query: pooled.len(), queries: run.asked, ..own });
            for row in end - run.asked..end {
                pooled.push(row as u32);
                pooled_positions.push(positions[row]);
                pooled_keys.push(keys[row]);
            }
        }
    }

    /// The numbers that stand for the rows at the beginning of a layer, or, `pooled`, above the last one.
    pub(crate) fn row_keys(&self, pooled: bool) -> &[u64] {
        if pooled { &self.pooled_keys } else { &self.keys }
    }

    /// Token rows.
    pub(crate) fn tokens(&self) -> usize {
        self.positions.len()
    }

    /// Rows that are read after the last layer: one an example, or more with words.
    pub(crate) fn pooled_rows(&self) -> usize {
        self.pooled.len()
    }

    /// Positions the batch reaches.
    pub(crate) fn longest(&self) -> usize {
        self.positions.iter().max().map_or(0, |&position| position as usize + 1)
    }

    /// Rows of working memory that attention's backward needs for what segments share.
    pub(crate) fn partial_rows(&self) -> usize {
        self.segments.iter().map(Segment::partial_rows).sum()
    }

    /// What a layer computes: the last one only what the head reads.
    pub(crate) fn rows(&self, last: bool) -> Rows<'_> {
        let tokens = self.tokens();
        if last {
            Rows {
                queries: self.pooled_rows(),
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

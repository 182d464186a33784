//! Which tokens of a batch's examples changed, and counters of each change.

use std::ops::Range;

use irtune_device::{Pooling, RowTerm, Segment, mix_key};

use super::{BatchError, PackedBatch};
use crate::head::EDIT_PARTS;

/// What changed in an example.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChangedTokens<'a> {
    /// Positions of deleted tokens.
    pub removed: &'a [u32],
    /// Positions of inserted tokens.
    pub added: &'a [u32],
    /// Counters of the change, as they were counted.
    pub counters: &'a [f32],
}

/// What changed in each example, in the order in which the examples were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Changes {
    positions: Vec<u32>,
    /// Deleted and inserted tokens of each example, among the positions.
    spans: Vec<[Range<usize>; 2]>,
    counters: Vec<f32>,
}

impl Changes {
    pub(super) fn clear(&mut self) {
        self.positions.clear();
        self.spans.clear();
        self.counters.clear();
    }

    fn push(&mut self, change: ChangedTokens<'_>) {
        let mut take = |positions: &[u32]| {
            let start = self.positions.len();
            self.positions.extend_from_slice(positions);
            start..self.positions.len()
        };
        let spans = [take(change.removed), take(change.added)];
        self.spans.push(spans);
        self.counters.extend_from_slice(change.counters);
    }
}

impl PackedBatch {
    /// Says what changed in each example, in the order in which they were given to [`PackedBatch::refill`]. The rows that
    /// are read after the last layer then reach in every segment from its first changed token to its end.
    ///
    /// # Errors
    /// When there are not as many changes as examples, a position is not one of its example's, or examples have different
    /// numbers of counters. What the batch holds then is of no use.
    pub fn set_changes<'a>(
        &mut self,
        changes: impl IntoIterator<Item = ChangedTokens<'a>>,
    ) -> Result<(), BatchError> {
        self.changes.clear();
        let mut expected = None;
        for (example, change) in changes.into_iter().enumerate() {
            let counters = change.counters.len();
            let expected = *expected.get_or_insert(counters);
            if counters != expected {
                return Err(BatchError::Counters { example, counters, expected });
            }
            self.changes.push(change);
        }
        let (changes, examples) = (self.changes.spans.len(), self.examples());
        if changes != examples {
            return Err(BatchError::Changes { changes, examples });
        }
        let Self { segments, order, changes, .. } = self;
        let mut examples = order.iter();
        for end in 0..segments.len() {
            if segments[end].shared {
                continue;
            }
            let Some(&example) = examples.next() else { break };
            let [removed, added] = changes.spans[example].clone();
            for &position in &changes.positions[removed.start..added.end] {
                let segment = find(segments, end, position as usize);
                let tokens = segments[end].reach();
                let segment = segment.ok_or(BatchError::Position { example, position, tokens })?;
                let Segment { context, keys, queries, .. } = &mut segments[segment];
                *queries = (*queries).max(*context + *keys - position as usize);
            }
        }
        self.number();
        Ok(())
    }

    /// Counters of each example, if it is known what changed.
    pub(crate) fn counters(&self) -> Option<usize> {
        let examples = self.changes.spans.len();
        (examples > 0).then(|| self.changes.counters.len() / examples)
    }

    /// An example's counters.
    pub(crate) fn counters_of(&self, example: usize) -> &[f32] {
        let counters = self.counters().unwrap_or(0);
        &self.changes.counters[example * counters..][..counters]
    }

    /// A number that stands for what changed in an example, beside its tokens' own.
    pub(crate) fn change_key(&self, tokens_key: u64, example: usize) -> u64 {
        let [removed, added] = self.changes.spans[example].clone();
        let parts = [tokens_key, removed.len() as u64, added.len() as u64];
        let positions = self.changes.positions[removed.start..added.end].iter().map(|&at| u64::from(at));
        let counters = self.counters_of(example).iter().map(|counter| u64::from(counter.to_bits()));
        positions.chain(counters).fold(mix_key(&parts), |key, part| mix_key(&[key, part]))
    }

    /// Fills in which rows an edit head reads: the last one of each example, and the means over those of its deleted and of
    /// its inserted tokens. Numbers that are given are left as they are.
    pub(super) fn fill_pooling(&self, pooling: &mut Pooling, read_segments: &[Segment], read: usize) {
        let Pooling { parts, sums, transposed, .. } = pooling;
        *parts = EDIT_PARTS;
        sums.clear();
        for (end, &example) in self.ends().zip(&self.order) {
            let last = read_row(&read_segments[end], read_segments[end].reach() - 1);
            sums.push([RowTerm { row: last, weight: 1.0 }]);
            for span in &self.changes.spans[example] {
                let positions = &self.changes.positions[span.clone()];
                let weight = 1.0 / positions.len() as f32;
                sums.push(positions.iter().filter_map(|&position| {
                    let segment = find(read_segments, end, position as usize)?;
                    Some(RowTerm { row: read_row(&read_segments[segment], position as usize), weight })
                }));
            }
        }
        transposed.transpose(sums, read);
    }
}

/// The segment that holds a position of the example which ends in segment `end`.
fn find(segments: &[Segment], end: usize, position: usize) -> Option<usize> {
    if position >= segments[end].reach() {
        return None;
    }
    std::iter::successors(Some(end), |&segment| segments[segment].parent)
        .find(|&segment| position >= segments[segment].context)
}

/// A position's row among those that are read.
fn read_row(segment: &Segment, position: usize) -> u32 {
    (segment.first_query + position + segment.queries - segment.reach()) as u32
}

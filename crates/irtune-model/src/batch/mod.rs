//! Examples side by side without padding; what several of them begin with is kept once.

mod changes;
pub(crate) mod layout;

use std::cmp::Ordering;

use irtune_device::Segment;

pub use changes::ChangedTokens;

use changes::Changes;

/// Tokens that a shared beginning must have for it to be kept once: shorter ones cost more in bookkeeping than they
/// save.
pub const SHORTEST_SHARED: usize = 8;

/// Token ids of a batch as a tree of segments, the shared prefix tree: an example is a path from a root to an end.
///
/// In a causal model a token's state depends on the tokens before it alone, so examples with the same beginning share
/// its states exactly. All prompts of a task begin alike, and so do pairs that revise the same sentence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PackedBatch {
    /// `[tokens]`, segment after segment.
    pub tokens: Vec<u32>,
    /// Parents before their children, without gaps in `tokens`; their queries are the rows that are read after the last
    /// layer: the last one of every end, or those from a segment's first changed token on.
    pub segments: Vec<Segment>,
    /// The example of each end, in the order of the segments.
    pub order: Vec<usize>,
    /// Empty until [`PackedBatch::set_changes`].
    changes: Changes,
    /// How many tokens neighbours in `order` share; memory of packing.
    alike: Vec<usize>,
}

impl PackedBatch {
    /// Packs examples; a beginning of at least `shortest` tokens that several share is kept once.
    ///
    /// # Errors
    /// When there is no example, or one has no token.
    pub fn pack(examples: &[impl AsRef<[u32]>], shortest: usize) -> Result<Self, BatchError> {
        let mut batch = Self::default();
        batch.refill(examples, shortest)?;
        Ok(batch)
    }

    /// Packs other examples into the memory of this batch; what changed in them is not known then.
    ///
    /// # Errors
    /// As [`PackedBatch::pack`]; what the batch holds then is of no use.
    pub fn refill(&mut self, examples: &[impl AsRef<[u32]>], shortest: usize) -> Result<(), BatchError> {
        if examples.is_empty() {
            return Err(BatchError::Empty);
        }
        if let Some(example) = examples.iter().position(|example| example.as_ref().is_empty()) {
            return Err(BatchError::NoToken { example });
        }
        let Self { tokens, segments, order, changes, alike } = self;
        changes.clear();
        tokens.clear();
        segments.clear();
        order.clear();
        order.extend(0..examples.len());
        order.sort_unstable_by(|&left, &right| {
            let by_tokens = examples[left].as_ref().cmp(examples[right].as_ref());
            by_tokens.then(if left < right { Ordering::Less } else { Ordering::Greater })
        });
        alike.clear();
        alike.extend(order.windows(2).map(|pair| {
            let (left, right) = (examples[pair[0]].as_ref(), examples[pair[1]].as_ref());
            let same = left.iter().zip(right).take_while(|(left, right)| left == right).count();
            // Every example keeps a token of its own: its end.
            same.min(left.len().min(right.len()) - 1)
        }));
        let whole: usize = examples.iter().map(|example| example.as_ref().len()).sum();
        tokens.reserve(whole);
        // A tree with branches everywhere has one shared segment less than it has ends.
        segments.reserve(2 * examples.len());
        let mut builder = Builder { examples, order, alike, shortest: shortest.max(1), tokens, segments };
        builder.branch(0..examples.len(), None, 0);
        self.number();
        Ok(())
    }

    /// Numbers queries and partial rows anew, after segments or what they share have changed.
    pub(crate) fn number(&mut self) {
        let (mut query, mut partial) = (0, 0);
        for segment in &mut self.segments {
            (segment.first_query, segment.first_partial) = (query, partial);
            query += segment.queries;
            partial += segment.partial_rows();
        }
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.order.len()
    }

    /// The segments of the example that ends in segment `end`, last one first.
    pub fn path(&self, end: usize) -> impl Iterator<Item = &Segment> {
        std::iter::successors(Some(&self.segments[end]), |segment| {
            segment.parent.map(|parent| &self.segments[parent])
        })
    }

    /// Numbers of the segments that end an example, in the order of `order`.
    pub fn ends(&self) -> impl Iterator<Item = usize> {
        self.segments.iter().enumerate().filter(|(_, segment)| !segment.shared).map(|(index, _)| index)
    }
}

/// Turns sorted examples into segments.
struct Builder<'a, T> {
    examples: &'a [T],
    order: &'a [usize],
    alike: &'a [usize],
    shortest: usize,
    tokens: &'a mut Vec<u32>,
    segments: &'a mut Vec<Segment>,
}

impl<T: AsRef<[u32]>> Builder<'_, T> {
    /// Adds the segments of the sorted examples `range`, whose first `context` tokens stand in `parent` and above it.
    fn branch(&mut self, range: std::ops::Range<usize>, parent: Option<usize>, context: usize) {
        if range.len() == 1 {
            let length = self.examples[self.order[range.start]].as_ref().len();
            self.segment(range.start, parent, context, length, false);
            return;
        }
        let between = range.start..range.end - 1;
        let least = self.alike[between.clone()].iter().copied().min().unwrap_or(0);
        let (parent, context) = if least >= context + self.shortest {
            self.segment(range.start, parent, context, least, true);
            (Some(self.segments.len() - 1), least)
        } else {
            (parent, context)
        };
        let mut start = range.start;
        for index in between {
            if self.alike[index] == least {
                self.branch(start..index + 1, parent, context);
                start = index + 1;
            }
        }
        self.branch(start..range.end, parent, context);
    }

    fn segment(&mut self, sorted: usize, parent: Option<usize>, context: usize, end: usize, shared: bool) {
        let first_key = self.tokens.len();
        self.tokens.extend_from_slice(&self.examples[self.order[sorted]].as_ref()[context..end]);
        self.segments.push(Segment {
            first_query: 0,
            queries: usize::from(!shared),
            first_key,
            keys: end - context,
            parent,
            context,
            shared,
            first_partial: 0,
        });
    }
}

/// Why examples can't be packed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// No example was given.
    #[error("a batch needs at least one example")]
    Empty,
    /// An example is empty.
    #[error("example {example} of the batch has no token")]
    NoToken {
        /// Its index in the batch.
        example: usize,
    },
    /// One change for each example.
    #[error("{changes} changes were given for {examples} examples of a batch")]
    Changes {
        /// How many were given.
        changes: usize,
        /// How many are needed.
        examples: usize,
    },
    /// A changed token that the example does not have.
    #[error(
        "example {example} of the batch has {tokens} tokens, but token {position} of it is said to have changed"
    )]
    Position {
        /// Its index in the batch.
        example: usize,
        /// What was given.
        position: u32,
        /// How many tokens it has.
        tokens: usize,
    },
    /// Every example has the same counters.
    #[error("example {example} of the batch has {counters} counters of its change, the first one {expected}")]
    Counters {
        /// Its index in the batch.
        example: usize,
        /// How many it has.
        counters: usize,
        /// How many the first one has.
        expected: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What tells a segment: its parent, first row, rows, context, and whether it is shared.
    type Place = (Option<usize>, usize, usize, usize, bool);

    fn place(segment: &Segment) -> Place {
        (segment.parent, segment.first_key, segment.keys, segment.context, segment.shared)
    }

    #[test]
    fn beginnings_are_kept_once_and_branch() {
        let examples = [vec![1, 2, 3, 4], vec![1, 2, 5], vec![1, 2, 3, 6]];
        let batch = PackedBatch::pack(&examples, 1).unwrap();
        assert_eq!(batch.tokens, [1, 2, 3, 4, 6, 5]);
        assert_eq!(batch.order, [0, 2, 1]);
        let expected: [Place; 5] = [
            (None, 0, 2, 0, true),
            (Some(0), 2, 1, 2, true),
            (Some(1), 3, 1, 3, false),
            (Some(1), 4, 1, 3, false),
            (Some(0), 5, 1, 2, false),
        ];
        assert_eq!(batch.segments.iter().map(place).collect::<Vec<_>>(), expected);
        let numbers: Vec<_> = batch.segments.iter().map(|one| (one.first_query, one.queries)).collect();
        assert_eq!(numbers, [(0, 0), (0, 0), (0, 1), (1, 1), (2, 1)]);
        let partial: Vec<_> = batch.segments.iter().map(|one| one.first_partial).collect();
        assert_eq!(partial, [0, 2, 5, 8, 11]);
        let batch = PackedBatch::pack(&examples, 2).unwrap();
        assert_eq!(batch.tokens, [1, 2, 3, 4, 3, 6, 5]);
        assert_eq!(PackedBatch::pack(&examples, usize::MAX / 2).unwrap().tokens.len(), 11);
    }

    #[test]
    fn an_example_inside_another_and_its_double_keep_a_token_each() {
        let batch = PackedBatch::pack(&[vec![7, 8, 9], vec![7, 8], vec![7, 8, 9]], 1).unwrap();
        assert_eq!(batch.order, [1, 0, 2]);
        assert_eq!(batch.tokens, [7, 8, 8, 9, 9]);
    }

    #[test]
    fn what_cannot_be_packed_is_named() {
        let none: [Vec<u32>; 0] = [];
        assert_eq!(PackedBatch::pack(&none, 1), Err(BatchError::Empty));
        assert!(BatchError::Empty.to_string().contains("at least one example"));
        let empty = PackedBatch::pack(&[vec![1u32], vec![]], 1);
        assert_eq!(empty, Err(BatchError::NoToken { example: 1 }));
        assert!(empty.unwrap_err().to_string().contains("example 1"));
    }

    proptest! {
        #[test]
        fn every_example_is_a_path(
            examples in prop::collection::vec(prop::collection::vec(0u32..3, 1..9), 1..9),
            shortest in 1usize..4,
        ) {
            let batch = PackedBatch::pack(&examples, shortest).unwrap();
            let ends: Vec<usize> = batch.ends().collect();
            prop_assert_eq!(ends.len(), examples.len());
            for (&end, &example) in ends.iter().zip(&batch.order) {
                let mut segments: Vec<&Segment> = batch.path(end).collect();
                segments.reverse();
                let mut whole: Vec<u32> = Vec::new();
                for segment in segments {
                    prop_assert_eq!(segment.context, whole.len());
                    let least = if segment.shared { shortest } else { 1 };
                    prop_assert!(segment.keys >= least);
                    whole.extend(&batch.tokens[segment.first_key..][..segment.keys]);
                }
                prop_assert_eq!(&whole, &examples[example]);
            }
            let mut start = 0;
            for (index, segment) in batch.segments.iter().enumerate() {
                prop_assert_eq!(segment.first_key, start);
                prop_assert!(segment.parent.is_none_or(|parent| parent < index && batch.segments[parent].shared));
                start += segment.keys;
            }
            prop_assert_eq!(start, batch.tokens.len());
        }
    }
}

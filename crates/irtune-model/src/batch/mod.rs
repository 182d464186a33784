//! Examples side by side without padding; what several of them begin with is kept once.

pub(crate) mod geometry;

use std::cmp::Ordering;

/// Tokens that a shared beginning must have for it to be kept once: shorter ones cost more in bookkeeping than they
/// save.
pub const SHORTEST_SHARED: usize = 8;

/// A stretch of tokens: what several examples share, or the rest of one example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The run whose tokens come before, if any; its number is smaller.
    pub parent: Option<usize>,
    /// Index of the first token.
    pub start: usize,
    /// Number of tokens, at least one.
    pub length: usize,
    /// How many tokens of the runs above come before: the position of the first token.
    pub context: usize,
    /// Whether other runs continue it; one that none does is an example's end.
    pub shared: bool,
    /// How many of its last rows are read after the last layer: an example's end one, a shared run none.
    pub asked: usize,
}

/// Token ids of a batch as a tree of runs: an example is a path from a root to an end.
///
/// In a causal model a token's state depends on the tokens before it alone, so examples with the same beginning share
/// its states exactly. All prompts of a task begin alike, and so do pairs that revise the same sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedBatch {
    /// `[tokens]`, run after run.
    pub tokens: Vec<u32>,
    /// Parents before their children, without gaps in `tokens`.
    pub runs: Vec<Run>,
    /// The example of each end, in the order of the runs.
    pub order: Vec<usize>,
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

    /// Packs other examples into the memory of this batch.
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
        let Self { tokens, runs, order, alike } = self;
        tokens.clear();
        runs.clear();
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
        // A tree with branches everywhere has one shared run less than it has ends.
        runs.reserve(2 * examples.len());
        let mut builder = Builder { examples, order, alike, shortest: shortest.max(1), tokens, runs };
        builder.branch(0..examples.len(), None, 0);
        Ok(())
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.order.len()
    }

    /// The runs of the example that ends in run `end`, last one first.
    pub fn path(&self, end: usize) -> impl Iterator<Item = &Run> {
        std::iter::successors(Some(&self.runs[end]), |run| run.parent.map(|parent| &self.runs[parent]))
    }

    /// Numbers of the runs that end an example, in the order of `order`.
    pub fn ends(&self) -> impl Iterator<Item = usize> {
        self.runs.iter().enumerate().filter(|(_, run)| !run.shared).map(|(index, _)| index)
    }
}

/// Turns sorted examples into runs.
struct Builder<'a, T> {
    examples: &'a [T],
    order: &'a [usize],
    alike: &'a [usize],
    shortest: usize,
    tokens: &'a mut Vec<u32>,
    runs: &'a mut Vec<Run>,
}

impl<T: AsRef<[u32]>> Builder<'_, T> {
    /// Adds the runs of the sorted examples `range`, whose first `context` tokens stand in `parent` and above it.
    fn branch(&mut self, range: std::ops::Range<usize>, parent: Option<usize>, context: usize) {
        if range.len() == 1 {
            let length = self.examples[self.order[range.start]].as_ref().len();
            self.run(range.start, parent, context, length, false);
            return;
        }
        let between = range.start..range.end - 1;
        let least = self.alike[between.clone()].iter().copied().min().unwrap_or(0);
        let (parent, context) = if least >= context + self.shortest {
            self.run(range.start, parent, context, least, true);
            (Some(self.runs.len() - 1), least)
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

    fn run(&mut self, sorted: usize, parent: Option<usize>, context: usize, end: usize, shared: bool) {
        let start = self.tokens.len();
        self.tokens.extend_from_slice(&self.examples[self.order[sorted]].as_ref()[context..end]);
        let asked = usize::from(!shared);
        self.runs.push(Run { parent, start, length: end - context, context, shared, asked });
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
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(parent: Option<usize>, start: usize, length: usize, context: usize, shared: bool) -> Run {
        Run { parent, start, length, context, shared, asked: usize::from(!shared) }
    }

    #[test]
    fn beginnings_are_kept_once_and_branch() {
        let examples = [vec![1, 2, 3, 4], vec![1, 2, 5], vec![1, 2, 3, 6]];
        let batch = PackedBatch::pack(&examples, 1).unwrap();
        assert_eq!(batch.tokens, [1, 2, 3, 4, 6, 5]);
        assert_eq!(batch.order, [0, 2, 1]);
        let runs = [
            run(None, 0, 2, 0, true),
            run(Some(0), 2, 1, 2, true),
            run(Some(1), 3, 1, 3, false),
            run(Some(1), 4, 1, 3, false),
            run(Some(0), 5, 1, 2, false),
        ];
        assert_eq!(batch.runs, runs);
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
                let mut runs: Vec<&Run> = batch.path(end).collect();
                runs.reverse();
                let mut whole: Vec<u32> = Vec::new();
                for run in runs {
                    prop_assert_eq!(run.context, whole.len());
                    let least = if run.shared { shortest } else { 1 };
                    prop_assert!(run.length >= least);
                    whole.extend(&batch.tokens[run.start..][..run.length]);
                }
                prop_assert_eq!(&whole, &examples[example]);
            }
            let mut start = 0;
            for (index, run) in batch.runs.iter().enumerate() {
                prop_assert_eq!(run.start, start);
                prop_assert!(run.parent.is_none_or(|parent| parent < index && batch.runs[parent].shared));
                start += run.length;
            }
            prop_assert_eq!(start, batch.tokens.len());
        }
    }
}

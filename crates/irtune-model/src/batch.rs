//! Examples side by side without padding, their common beginning kept once.

/// Token ids of a batch: the shared prefix once, then each example's own tokens.
///
/// # Shapes
/// Example `e`'s own tokens are `tokens[offsets[e]..offsets[e + 1]]`; `offsets[0] == prefix` and the last offset is
/// `tokens.len()`. Every example has at least one own token, the last of which is the one that is classified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedBatch {
    /// `[tokens]`
    pub tokens: Vec<u32>,
    /// How many tokens at the beginning belong to every example.
    pub prefix: usize,
    /// `[examples + 1]`
    pub offsets: Vec<usize>,
}

impl PackedBatch {
    /// Packs whole examples whose first `prefix` tokens are the same.
    ///
    /// # Errors
    /// When there is no example, when one has no token behind the prefix, or when the prefixes differ.
    pub fn pack(examples: &[impl AsRef<[u32]>], prefix: usize) -> Result<Self, BatchError> {
        let mut batch = Self::default();
        batch.refill(examples, prefix)?;
        Ok(batch)
    }

    /// Packs other examples into the memory of this batch.
    ///
    /// # Errors
    /// As [`PackedBatch::pack`]; what the batch holds then is of no use.
    pub fn refill(&mut self, examples: &[impl AsRef<[u32]>], prefix: usize) -> Result<(), BatchError> {
        let first = examples.first().ok_or(BatchError::Empty)?.as_ref();
        let Self { tokens, offsets, .. } = self;
        let own: usize = examples.iter().map(|example| example.as_ref().len().saturating_sub(prefix)).sum();
        tokens.clear();
        tokens.reserve(prefix + own);
        offsets.clear();
        offsets.reserve(examples.len() + 1);
        tokens.extend_from_slice(&first[..prefix.min(first.len())]);
        for (index, example) in examples.iter().enumerate() {
            let example = example.as_ref();
            if example.len() <= prefix {
                return Err(BatchError::NoOwnToken { example: index, tokens: example.len(), prefix });
            }
            if example[..prefix] != tokens[..prefix] {
                return Err(BatchError::PrefixDiffers { example: index, prefix });
            }
            offsets.push(tokens.len());
            tokens.extend_from_slice(&example[prefix..]);
        }
        offsets.push(tokens.len());
        self.prefix = prefix;
        Ok(())
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Tokens an example has in all, prefix included.
    pub fn length(&self, example: usize) -> usize {
        self.prefix + self.offsets[example + 1] - self.offsets[example]
    }
}

/// The longest beginning that all examples share and that leaves each at least one own token.
///
/// It is 0 for a single example, which shares with nobody, and for none.
pub fn shared_prefix(examples: &[impl AsRef<[u32]>]) -> usize {
    let [first, others @ ..] = examples else { return 0 };
    if others.is_empty() {
        return 0;
    }
    let first = first.as_ref();
    let mut shared = first.len();
    for other in others {
        let other = other.as_ref();
        shared = shared.min(other.len());
        shared = first[..shared].iter().zip(other).take_while(|(left, right)| left == right).count();
    }
    let shortest = examples.iter().map(|example| example.as_ref().len()).min().unwrap_or(0);
    shared.min(shortest.saturating_sub(1))
}

/// Why examples can't be packed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// No example was given.
    #[error("a batch needs at least one example")]
    Empty,
    /// An example ends inside the prefix.
    #[error(
        "example {example} of the batch has {tokens} tokens, none of them behind the prefix of {prefix}: \
         take a shorter prefix (`shared_prefix` finds one)"
    )]
    NoOwnToken {
        /// Its index in the batch.
        example: usize,
        /// How many tokens it has.
        tokens: usize,
        /// The prefix that was asked for.
        prefix: usize,
    },
    /// An example begins otherwise than the first.
    #[error(
        "example {example} of the batch begins otherwise than the first one within the prefix of {prefix} tokens: \
         take a shorter prefix (`shared_prefix` finds one)"
    )]
    PrefixDiffers {
        /// Its index in the batch.
        example: usize,
        /// The prefix that was asked for.
        prefix: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_prefix_is_kept_once() {
        let batch = PackedBatch::pack(&[vec![1, 2, 3, 4], vec![1, 2, 5]], 2).unwrap();
        assert_eq!(batch, PackedBatch { tokens: vec![1, 2, 3, 4, 5], prefix: 2, offsets: vec![2, 4, 5] });
        assert_eq!((batch.examples(), batch.length(0), batch.length(1)), (2, 4, 3));
    }

    #[test]
    fn what_cannot_be_packed_is_named() {
        let none: [Vec<u32>; 0] = [];
        assert_eq!(PackedBatch::pack(&none, 0), Err(BatchError::Empty));
        let short = PackedBatch::pack(&[vec![1, 2, 3], vec![1, 2]], 2);
        assert_eq!(short, Err(BatchError::NoOwnToken { example: 1, tokens: 2, prefix: 2 }));
        let shorter = PackedBatch::pack(&[vec![1u32], vec![1, 2]], 2);
        assert_eq!(shorter, Err(BatchError::NoOwnToken { example: 0, tokens: 1, prefix: 2 }));
        let other = PackedBatch::pack(&[vec![1, 2, 3], vec![1, 9, 3]], 2);
        assert_eq!(other, Err(BatchError::PrefixDiffers { example: 1, prefix: 2 }));
        assert!(BatchError::Empty.to_string().contains("at least one example"));
        assert!(short.unwrap_err().to_string().contains("example 1 of the batch has 2 tokens"));
        assert!(other.unwrap_err().to_string().contains("begins otherwise"));
    }

    #[test]
    fn the_shared_prefix_leaves_every_example_a_token() {
        assert_eq!(shared_prefix(&[vec![1u32, 2, 3]]), 0);
        assert_eq!(shared_prefix(&[vec![1u32, 2], vec![1, 2]]), 1);
        assert_eq!(shared_prefix(&[vec![1u32, 2, 3], vec![1, 2, 4, 5], vec![1, 2]]), 1);
        assert_eq!(shared_prefix(&[vec![1u32, 2], vec![]]), 0);
        let none: [Vec<u32>; 0] = [];
        assert_eq!(shared_prefix(&none), 0);
    }

    proptest! {
        #[test]
        fn packing_by_the_shared_prefix_keeps_every_example(
            examples in prop::collection::vec(prop::collection::vec(0u32..3, 1..8), 1..6)
        ) {
            let prefix = shared_prefix(&examples);
            let batch = PackedBatch::pack(&examples, prefix).unwrap();
            prop_assert_eq!(batch.examples(), examples.len());
            for (index, example) in examples.iter().enumerate() {
                let mut whole = batch.tokens[..prefix].to_vec();
                whole.extend(&batch.tokens[batch.offsets[index]..batch.offsets[index + 1]]);
                prop_assert_eq!(&whole, example);
                prop_assert_eq!(batch.length(index), example.len());
            }
        }
    }
}

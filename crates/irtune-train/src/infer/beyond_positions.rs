//! Models that read more than their bases were made for.

use std::fmt;

/// A model may read more tokens of a pair than its base was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeyondPositions {
    /// Most tokens of a pair.
    pub max_length: usize,
    /// Positions that the base was made for.
    pub positions: usize,
}

impl BeyondPositions {
    pub(super) fn of(max_length: usize, positions: usize) -> Option<BeyondPositions> {
        (max_length > positions).then_some(BeyondPositions { max_length, positions })
    }
}

impl fmt::Display for BeyondPositions {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let BeyondPositions { max_length, positions } = self;
        write!(
            formatter,
            "this model reads up to {max_length} tokens of a pair, and its base was made for {positions} positions: what lies \
             beyond is read by rules that it never learnt; train with a max_length of at most {positions}"
        )
    }
}

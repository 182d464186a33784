//! A pair as token ids.

use crate::pair_kind::PairKind;
use crate::target::Target;

/// A pair ready for the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Example {
    /// The begin token, where there is one, and the ids of the rendered prompt.
    pub tokens: Vec<u32>,
    /// What it should be told as, where that is known.
    pub target: Option<Target>,
    /// Which of its texts the pair has.
    pub kind: PairKind,
    /// Something of the pair was left out to stay within the limit.
    pub shortened: bool,
    /// Its text ends with padding tokens, which were left out ([`Ending`](crate::Ending)).
    pub before_padding: bool,
    /// What changed, when the encoder was asked for it ([`Encoder::with_change`](crate::Encoder::with_change)).
    pub change: Option<ExampleChange>,
}

/// What changed, as tokens and in numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExampleChange {
    /// Positions in the example's tokens that show removed text, ascending: in the original text, between marks and in a
    /// list of removals, wherever the prompt has them. Empty where nothing was removed.
    pub removed: Vec<u32>,
    /// Positions that show added text, likewise.
    pub added: Vec<u32>,
    /// The whole pair's [`COUNTERS`](crate::COUNTERS), not standardised.
    pub counters: Vec<f32>,
}

impl AsRef<[u32]> for Example {
    fn as_ref(&self) -> &[u32] {
        &self.tokens
    }
}

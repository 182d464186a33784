//! The choices of a case, which follow from the target's name and the case's number.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// The choices of a case.
pub struct Random(ChaCha8Rng);

impl Random {
    /// Those of a case.
    pub fn of(target: &str, case: u64) -> Random {
        let mut digest = Sha256::new();
        digest.update(target.as_bytes());
        digest.update(case.to_le_bytes());
        Random(ChaCha8Rng::from_seed(digest.finalize().into()))
    }

    /// A number below another, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several things.
    pub fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }

    /// Any number of 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.random()
    }
}

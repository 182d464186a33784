//! Random numbers of a range.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// A number below `end`.
///
/// The high half of a 128-bit product maps 64 random bits to the range with a bias below 2⁻³².
pub(crate) fn below(generator: &mut ChaCha8Rng, end: usize) -> usize {
    ((u128::from(generator.next_u64()) * end as u128) >> 64) as usize
}

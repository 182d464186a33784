//! Numbers drawn from a seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const PURPOSE: u64 = 0x5155455545;

/// Numbers drawn for a seed and a number of labels.
pub(super) struct Draws(ChaCha8Rng);

impl Draws {
    pub fn new(seed: u64, labelled: u64) -> Self {
        let mut key = [0; 32];
        for (bytes, value) in key.chunks_exact_mut(8).zip([PURPOSE, seed, labelled]) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        Draws(ChaCha8Rng::from_seed(key))
    }

    /// A number from 0 to 1, without 1.
    pub fn share(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// `count` different places below `length`, in random order.
    pub fn places(&mut self, length: usize, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..length).collect();
        for place in 0..count {
            let other = place + (self.share() * (length - place) as f64) as usize;
            order.swap(place, other);
        }
        order.truncate(count);
        order
    }
}

//! Random orders that depend on nothing but their keys.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The numbers from 0 to `length` − 1 in an order drawn for (`purpose`, `seed`, `number`).
///
/// The shuffle is written out here because a library's own may draw differently in its next version, and a resumed
/// run must go on as it began.
pub(super) fn shuffled(length: usize, purpose: u64, seed: u64, number: u64) -> Vec<usize> {
    let mut key = [0; 32];
    for (bytes, value) in key.chunks_exact_mut(8).zip([purpose, seed, number]) {
        bytes.copy_from_slice(&value.to_le_bytes());
    }
    let mut generator = ChaCha8Rng::from_seed(key);
    let mut order: Vec<usize> = (0..length).collect();
    for last in (1..length).rev() {
        let other = below(&mut generator, last as u64 + 1);
        order.swap(last, other as usize);
    }
    order
}

/// A number below `bound`, each equally likely: draws from the incomplete last round of the range are drawn again.
fn below(generator: &mut ChaCha8Rng, bound: u64) -> u64 {
    let usable = u64::MAX - u64::MAX % bound;
    loop {
        let draw = generator.next_u64();
        if draw < usable {
            return draw % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_own_permutation() {
        let order = shuffled(100, 1, 2, 3);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(order, shuffled(100, 1, 2, 3));
        for other in [shuffled(100, 0, 2, 3), shuffled(100, 1, 0, 3), shuffled(100, 1, 2, 0)] {
            assert_ne!(order, other);
        }
    }

    #[test]
    fn every_order_of_three_is_about_equally_frequent() {
        let mut counts = std::collections::BTreeMap::new();
        for number in 0..6000 {
            *counts.entry(shuffled(3, 0, 0, number)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|count| (850..1150).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_order_is_the_same_in_every_version() {
        // Not worked out elsewhere: it only must never change, or a resumed run would go on in another order.
        assert_eq!(shuffled(8, 0, 171, 0), [0, 1, 5, 2, 3, 7, 4, 6]);
    }
}

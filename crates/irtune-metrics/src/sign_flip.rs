//! Whether paired figures differ, over runs.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// Up to so many differences all sign patterns are gone through.
const ENUMERATED: usize = 20;

/// The exact paired permutation test: were there no difference, each difference could as well have the other sign.
///
/// # Source
/// Fisher 1935; `permutation_test(permutation_type="samples")` of SciPy, which it equals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignFlip {
    /// Pairs of figures.
    pub pairs: usize,
    /// Two-sided p: the share of sign patterns with a mean at least as far from 0.
    pub p: f64,
    /// The smallest p that so many pairs can give, 2^(1 − pairs).
    pub smallest: f64,
}

impl SignFlip {
    /// Of the differences of paired figures. More than twenty are tested on 2²⁰ drawn sign patterns.
    pub fn of(differences: &[f64]) -> SignFlip {
        let pairs = differences.len();
        let sum: f64 = differences.iter().sum();
        // Sums that are equal but for rounding count as equal.
        let reach = sum.abs() * (1.0 - 1e-12);
        let at_least = |signs: u64, differences: &[f64]| {
            let signed = differences
                .iter()
                .enumerate()
                .map(|(at, difference)| if signs >> (at % 64) & 1 == 1 { -difference } else { *difference });
            signed.sum::<f64>().abs() >= reach
        };
        let patterns = 1u64 << pairs.min(ENUMERATED);
        let p = if pairs <= ENUMERATED {
            (0..patterns).filter(|&signs| at_least(signs, differences)).count() as f64 / patterns as f64
        } else {
            let mut generator = ChaCha8Rng::seed_from_u64(pairs as u64);
            let mut drawn = 0u64;
            for _ in 0..patterns {
                let signed = differences.chunks(64).map(|chunk| {
                    let signs = generator.next_u64();
                    let signed = chunk
                        .iter()
                        .enumerate()
                        .map(|(at, difference)| if signs >> at & 1 == 1 { -difference } else { *difference });
                    signed.sum::<f64>()
                });
                drawn += u64::from(signed.sum::<f64>().abs() >= reach);
            }
            (drawn + 1) as f64 / (patterns + 1) as f64
        };
        SignFlip { pairs, p, smallest: 2f64.powi(1 - pairs.max(1) as i32) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_pairs_give_a_quarter_at_best() {
        let test = SignFlip::of(&[0.1, 0.2, 0.3]);
        assert_eq!((test.p, test.smallest), (0.25, 0.25));
        assert_eq!(SignFlip::of(&[0.1, -0.1]).p, 1.0);
        assert_eq!(SignFlip::of(&[0.0, 0.0, 0.0]).p, 1.0);
        assert_eq!(SignFlip::of(&[0.4]).p, 1.0);
        assert_eq!(SignFlip::of(&[]).p, 1.0);
    }

    #[test]
    fn drawn_patterns_come_near_the_enumerated_ones() {
        let differences: Vec<f64> = (0..24).map(|at| f64::from(at * 7 % 11) - 4.2).collect();
        let (drawn, all) = (SignFlip::of(&differences).p, SignFlip::of(&differences[..20]).p);
        assert!((0.0..1.0).contains(&all));
        // The normal approximation of the sum of random signs.
        let deviation = differences.iter().map(|value| value * value).sum::<f64>().sqrt();
        let z = differences.iter().sum::<f64>().abs() / deviation;
        assert!((drawn - 2.0 * normal_tail(z)).abs() < 0.02, "{drawn} at z = {z}");
    }

    /// Upper tail of the standard normal, by the trapezoidal rule.
    fn normal_tail(z: f64) -> f64 {
        let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
        let steps = 20_000;
        let width = (12.0 - z) / f64::from(steps);
        (0..steps).map(|step| density(z + (f64::from(step) + 0.5) * width) * width).sum()
    }
}

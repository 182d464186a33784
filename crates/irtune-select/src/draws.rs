//! Random numbers keyed by seed and step, so that nothing depends on what was drawn before.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Where a policy gets its random numbers: one fresh sequence a step.
///
/// [`StepDraws`] is the one a run uses; recorded numbers can stand in for it to replay a run that drew elsewhere.
pub trait Draws {
    /// The next number, uniform in `[0, 1)`.
    fn unit(&mut self) -> f64;

    /// A whole number, uniform in `0..bound`, from one [`unit`](Draws::unit): `floor(unit · bound)`.
    ///
    /// `bound` is at least 1 and at most 2⁵³.
    fn below(&mut self, bound: usize) -> usize {
        // Below 2⁵³ no product of bound and the largest double under 1 rounds up to the bound itself.
        (self.unit() * bound as f64) as usize
    }
}

/// The numbers of one step: ChaCha8 keyed by the seed, with the step as its stream.
#[derive(Debug, Clone)]
pub struct StepDraws {
    generator: ChaCha8Rng,
}

impl StepDraws {
    /// The sequence of one step of a run; equal arguments give equal sequences.
    pub fn new(seed: u64, step: u64) -> StepDraws {
        // The second half of the key sets layer selection apart from everything else a run seeds.
        let mut key = *b"........irtune layer selection  ";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(step);
        StepDraws { generator }
    }
}

impl Draws for StepDraws {
    fn unit(&mut self) -> f64 {
        // The 53 bits a double can hold, as a multiple of 2⁻⁵³.
        (self.generator.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(seed: u64, step: u64) -> Vec<f64> {
        let mut draws = StepDraws::new(seed, step);
        (0..8).map(|_| draws.unit()).collect()
    }

    #[test]
    fn same_key_same_numbers_and_other_key_other_numbers() {
        assert_eq!(first(171, 5), first(171, 5));
        assert_ne!(first(171, 5), first(171, 6));
        assert_ne!(first(171, 5), first(172, 5));
    }

    #[test]
    fn numbers_are_uniform_in_the_unit_interval() {
        let mut draws = StepDraws::new(1, 0);
        let numbers: Vec<f64> = (0..20_000).map(|_| draws.unit()).collect();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        // Five standard errors of the mean of 20 000 uniform numbers.
        assert!((mean - 0.5).abs() < 5.0 * (1.0f64 / 12.0 / 20_000.0).sqrt(), "mean {mean}");
    }

    #[test]
    fn below_reaches_every_value_and_never_the_bound() {
        let mut draws = StepDraws::new(2, 0);
        let mut counts = [0; 7];
        for _ in 0..7_000 {
            counts[draws.below(7)] += 1;
        }
        assert!(counts.iter().all(|&count| (800..1200).contains(&count)), "{counts:?}");

        struct Highest;
        impl Draws for Highest {
            fn unit(&mut self) -> f64 {
                1.0 - f64::EPSILON / 2.0
            }
        }
        for bound in (1..1_000).chain([1 << 53]) {
            assert_eq!(Highest.below(bound), bound - 1);
        }
    }
}

//! Rotary positions of a layer: how fast each pair of a head's values turns.

use serde::{Deserialize, Serialize};

/// How queries and keys turn with their positions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rotary {
    /// How many of a head's values turn, the first ones; even.
    pub size: usize,
    /// Base of the frequencies.
    pub theta: f32,
    /// How the frequencies are changed for long contexts.
    pub scaling: RopeScaling,
    /// What queries are multiplied by beyond the original context.
    pub query_growth: Option<QueryGrowth>,
}

/// How the rotary frequencies differ from plain powers of theta.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RopeScaling {
    /// Not at all.
    None,
    /// All divided by a factor.
    Linear {
        /// The divisor.
        factor: f32,
    },
    /// Slow ones divided by a factor, fast ones kept, blended between.
    Llama3 {
        /// Divisor of the slow frequencies.
        factor: f32,
        /// A frequency that turns less than this often in the original context is slow.
        low_frequency_factor: f32,
        /// One that turns more than this often is fast.
        high_frequency_factor: f32,
        /// The original context's length.
        original_positions: usize,
    },
    /// Slow ones divided by a factor, fast ones kept, with a ramp over the pairs between.
    Yarn {
        /// Divisor of the slow frequencies.
        factor: f32,
        /// The original context's length.
        original_positions: usize,
        /// A frequency that turns more than this often in the original context is fast.
        beta_fast: f32,
        /// One that turns less than this often is slow.
        beta_slow: f32,
        /// What cosines and sines are multiplied by.
        attention_factor: f32,
        /// Whether the ramp's ends are whole pairs.
        truncate: bool,
    },
    /// Each divided by its own factor, as a GGUF's `rope_freqs.weight` gives them.
    Factors {
        /// `[size / 2]`
        factors: Vec<f32>,
    },
}

/// A factor of queries that grows with the position: `1 + beta · ln(1 + ⌊position / original positions⌋)`.
///
/// # Source
/// `get_llama_4_attn_scale` of transformers' Ministral 3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryGrowth {
    /// How fast it grows.
    pub beta: f32,
    /// The original context's length, up to which it is 1.
    pub original_positions: usize,
}

impl QueryGrowth {
    /// The factor at a position.
    pub fn at(&self, position: usize) -> f32 {
        1.0 + self.beta * ((1 + position / self.original_positions) as f32).ln()
    }
}

impl Rotary {
    /// Frequency of each pair of values, scaling applied.
    ///
    /// # Shapes
    /// `[size / 2]`
    ///
    /// # Source
    /// transformers `modeling_rope_utils.py`; in f32 like there.
    pub fn frequencies(&self) -> Vec<f32> {
        let plain = (0..self.size / 2).map(|pair| {
            let exponent = (2 * pair) as f32 / self.size as f32;
            1.0 / self.theta.powf(exponent)
        });
        let frequencies = plain.enumerate().map(|(pair, frequency)| match self.scaling {
            RopeScaling::None => frequency,
            RopeScaling::Linear { factor } => frequency / factor,
            RopeScaling::Llama3 { .. } => self.scaling.llama3(frequency),
            RopeScaling::Yarn { factor, .. } => {
                let kept = 1.0 - self.ramp(pair);
                frequency / factor * (1.0 - kept) + frequency * kept
            }
            RopeScaling::Factors { ref factors } => frequency / factors[pair],
        });
        frequencies.collect()
    }

    /// What cosines and sines are multiplied by.
    pub fn attention_factor(&self) -> f32 {
        match self.scaling {
            RopeScaling::Yarn { attention_factor, .. } => attention_factor,
            _ => 1.0,
        }
    }

    /// How slow a pair is for YaRN: 0 for the fast ones, 1 for the slow ones.
    fn ramp(&self, pair: usize) -> f32 {
        let RopeScaling::Yarn { original_positions, beta_fast, beta_slow, truncate, .. } = self.scaling
        else {
            return 0.0;
        };
        let (size, theta) = (self.size as f64, f64::from(self.theta));
        let pair_of = |turns: f32| {
            let wavelength = original_positions as f64 / (f64::from(turns) * 2.0 * std::f64::consts::PI);
            size * wavelength.ln() / (2.0 * theta.ln())
        };
        let (mut low, mut high) = (pair_of(beta_fast), pair_of(beta_slow));
        if truncate {
            (low, high) = (low.floor(), high.ceil());
        }
        (low, high) = (low.max(0.0), high.min(size - 1.0));
        if low == high {
            high += 0.001;
        }
        ((pair as f32 - low as f32) / (high - low) as f32).clamp(0.0, 1.0)
    }
}

impl RopeScaling {
    /// What YaRN multiplies cosines and sines by where that isn't given: `0.1 ln factor + 1`, or a quotient of two such with
    /// factors of the logarithm.
    pub fn yarn_attention_factor(factor: f32, scales: Option<(f32, f32)>) -> f32 {
        let grown = |scale: f32| match factor > 1.0 {
            true => 0.1 * f64::from(scale) * f64::from(factor).ln() + 1.0,
            false => 1.0,
        };
        match scales {
            Some((scale, all)) => (grown(scale) / grown(all)) as f32,
            None => grown(1.0) as f32,
        }
    }

    fn llama3(&self, frequency: f32) -> f32 {
        let RopeScaling::Llama3 { factor, low_frequency_factor, high_frequency_factor, original_positions } =
            *self
        else {
            return frequency;
        };
        let original = original_positions as f32;
        let wavelength = 2.0 * std::f32::consts::PI / frequency;
        if wavelength < original / high_frequency_factor {
            frequency
        } else if wavelength > original / low_frequency_factor {
            frequency / factor
        } else {
            let smooth = (original / wavelength - low_frequency_factor)
                / (high_frequency_factor - low_frequency_factor);
            (1.0 - smooth) * frequency / factor + smooth * frequency
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(theta: f32, scaling: RopeScaling) -> Vec<f32> {
        Rotary { size: 16, theta, scaling, query_growth: None }.frequencies()
    }

    fn scaled(scaling: RopeScaling) -> Vec<f32> {
        of(500_000.0, scaling)
    }

    fn assert_close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn plain_frequencies_fall_from_one_by_powers_of_theta() {
        let rotary = Rotary { size: 8, theta: 10_000.0, scaling: RopeScaling::None, query_growth: None };
        assert_close(&rotary.frequencies(), &[1.0, 0.1, 0.01, 0.001]);
    }

    #[test]
    fn linear_scaling_divides_every_frequency() {
        let plain = scaled(RopeScaling::None);
        let linear = scaled(RopeScaling::Linear { factor: 4.0 });
        assert!(plain.iter().zip(&linear).all(|(plain, linear)| plain / 4.0 == *linear));
    }

    #[test]
    fn own_factors_divide_their_frequency() {
        let plain = scaled(RopeScaling::None);
        let factors: Vec<f32> = (1..=8).map(|factor| factor as f32).collect();
        let own = scaled(RopeScaling::Factors { factors });
        assert_eq!(own[0], plain[0]);
        assert_eq!(own[7], plain[7] / 8.0);
    }

    #[test]
    fn queries_grow_only_beyond_the_original_context() {
        let growth = QueryGrowth { beta: 0.1, original_positions: 4 };
        assert_eq!([0, 3].map(|position| growth.at(position)), [1.0, 1.0]);
        let expected = [1.0 + 0.1 * 2f32.ln(), 1.0 + 0.1 * 2f32.ln(), 1.0 + 0.1 * 3f32.ln()];
        assert_close(&[4, 7, 8].map(|position| growth.at(position)), &expected);
    }

    /// Llama 3.2's constants; the expected values are transformers' `ROPE_INIT_FUNCTIONS["llama3"]` for this head.
    #[test]
    fn llama3_scaling_equals_transformers() {
        let found = scaled(RopeScaling::Llama3 {
            factor: 32.0,
            low_frequency_factor: 1.0,
            high_frequency_factor: 4.0,
            original_positions: 8192,
        });
        assert_close(&found, &LLAMA3_BY_TRANSFORMERS);
    }

    /// The expected values are transformers' `ROPE_INIT_FUNCTIONS["yarn"]`, with and without whole ends of its ramp.
    #[test]
    fn yarn_equals_transformers() {
        let yarn = |truncate| {
            of(
                10_000.0,
                RopeScaling::Yarn {
                    factor: 16.0,
                    original_positions: 64,
                    beta_fast: 32.0,
                    beta_slow: 1.0,
                    attention_factor: 1.0,
                    truncate,
                },
            )
        };
        assert_close(&yarn(true), &YARN_BY_TRANSFORMERS);
        assert_close(&yarn(false), &YARN_UNTRUNCATED_BY_TRANSFORMERS);
    }

    const YARN_BY_TRANSFORMERS: [f32; 8] =
        [1.0, 0.217_406_57, 0.037_499_998, 1.976_423_7e-3, 6.25e-4, 1.976_423_7e-4, 6.25e-5, 1.976_423_7e-5];

    const YARN_UNTRUNCATED_BY_TRANSFORMERS: [f32; 8] =
        [1.0, 0.169_172_47, 6.994_061_6e-3, 1.976_423_7e-3, 6.25e-4, 1.976_423_7e-4, 6.25e-5, 1.976_423_7e-5];

    const LLAMA3_BY_TRANSFORMERS: [f32; 8] = [
        1.0,
        0.193_922_76,
        0.037_606_03,
        0.007_292_665,
        0.000_429_556_7,
        8.570_256e-6,
        1.661_967_4e-6,
        3.222_933e-7,
    ];
}

//! Changes of the rotary frequencies for long contexts.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How the rotary frequencies differ from plain powers of `rope_theta`.
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
    /// Each divided by its own factor, as a GGUF's `rope_freqs.weight` gives them.
    Factors {
        /// `[head_size / 2]`
        factors: Vec<f32>,
    },
    /// Each divided by its own factor, by others in texts longer than the original context; LongRoPE.
    Long {
        /// Divisors in texts of up to the original context, `[rotary_size / 2]`.
        short: Vec<f32>,
        /// Divisors in longer ones.
        long: Vec<f32>,
        /// The original context's length.
        original_positions: usize,
        /// Factor of cosines and sines, in texts of every length.
        attention_factor: f32,
    },
}

impl RopeScaling {
    /// Scales plain frequencies.
    pub(super) fn apply(&self, mut frequencies: Vec<f32>) -> Vec<f32> {
        for (pair, frequency) in frequencies.iter_mut().enumerate() {
            *frequency = match *self {
                RopeScaling::None => *frequency,
                RopeScaling::Linear { factor } => *frequency / factor,
                RopeScaling::Llama3 { .. } => self.llama3(*frequency),
                RopeScaling::Factors { ref factors } => *frequency / factors[pair],
                RopeScaling::Long { ref short, .. } => 1.0 / (short[pair] * (1.0 / *frequency)),
            };
        }
        frequencies
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

    /// Factor of cosines and sines.
    pub(super) fn attention_factor(&self) -> f32 {
        match self {
            RopeScaling::Long { attention_factor, .. } => *attention_factor,
            _ => 1.0,
        }
    }

    /// What LongRoPE multiplies cosines and sines by, where nothing else is said.
    pub(super) fn long_attention_factor(max_positions: f64, original_positions: f64) -> f32 {
        let factor = max_positions / original_positions;
        if factor <= 1.0 { 1.0 } else { (1.0 + factor.ln() / original_positions.ln()).sqrt() as f32 }
    }

    /// Refuses factors that would make frequencies infinite, or that don't fit the head.
    pub(super) fn check(&self, pairs: usize, path: &dyn Fn() -> PathBuf) -> Result<(), ConfigError> {
        let positive = |field: &str, value: f32| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            Err(ConfigError::Field {
                path: path(),
                field: field.to_owned(),
                found: value.to_string(),
                expected: "a finite number above 0",
            })
        };
        match self {
            RopeScaling::None => Ok(()),
            RopeScaling::Linear { factor } => positive("factor", *factor),
            RopeScaling::Llama3 { factor, low_frequency_factor, high_frequency_factor, .. } => {
                positive("factor", *factor)?;
                positive("low_freq_factor", *low_frequency_factor)?;
                positive("high_freq_factor", *high_frequency_factor)?;
                if high_frequency_factor > low_frequency_factor {
                    return Ok(());
                }
                Err(ConfigError::Field {
                    path: path(),
                    field: "high_freq_factor".to_owned(),
                    found: high_frequency_factor.to_string(),
                    expected: "above low_freq_factor",
                })
            }
            RopeScaling::Long { short, long, attention_factor, .. } => {
                for factors in [short, long] {
                    if factors.len() != pairs {
                        let found = factors.len();
                        return Err(ConfigError::RopeFactors { path: path(), found, expected: pairs });
                    }
                    factors.iter().try_for_each(|&factor| positive("a rotary factor", factor))?;
                }
                positive("attention_factor", *attention_factor)
            }
            RopeScaling::Factors { factors } if factors.len() != pairs => {
                Err(ConfigError::RopeFactors { path: path(), found: factors.len(), expected: pairs })
            }
            RopeScaling::Factors { factors } => {
                factors.iter().try_for_each(|&factor| positive("rope_freqs.weight", factor))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tiny;
    use super::*;
    use crate::base::config::ModelConfig;

    fn scaled(rope_scaling: RopeScaling) -> Vec<f32> {
        ModelConfig { rope_theta: 500_000.0, rope_scaling, ..tiny() }.inverse_frequencies()
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
    fn long_texts_factors_are_those_of_short_ones_up_to_the_original_context() {
        let rope_scaling = RopeScaling::Long {
            short: (1..=8).map(|factor| factor as f32).collect(),
            long: vec![2.0; 8],
            original_positions: 64,
            attention_factor: 1.25,
        };
        let plain = scaled(RopeScaling::None);
        let long = ModelConfig { rope_theta: 500_000.0, rope_scaling, ..tiny() };
        let found = long.inverse_frequencies();
        assert!(
            found
                .iter()
                .zip(&plain)
                .zip(1..)
                .all(|((found, plain), factor)| { (found * factor as f32 / plain - 1.0).abs() < 1e-6 })
        );
        assert_eq!(long.rotary_table(3).angles(0), [[1.25; 8], [0.0; 8]].concat());
        assert_eq!(long.most_positions(), Some(64));
        // Phi-3-mini-128k: √(1 + ln 32 / ln 4096).
        let factor = RopeScaling::long_attention_factor(131_072.0, 4096.0);
        assert!((factor - 1.190_238_1).abs() < 1e-6, "{factor}");
        assert_eq!(RopeScaling::long_attention_factor(4096.0, 4096.0), 1.0);
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
        let expected = LLAMA3_BY_TRANSFORMERS;
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
        }
    }

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

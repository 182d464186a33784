//! Whether rotary positions can be computed.

use std::path::PathBuf;

use super::ConfigError;
use crate::families::{RopeScaling, Rotary};

/// Refuses factors that would make frequencies infinite, or that don't fit the head.
pub(super) fn check(rotary: &Rotary, path: &dyn Fn() -> PathBuf) -> Result<(), ConfigError> {
    let wrong = |field: &str, value: f32, expected: &'static str| ConfigError::Field {
        path: path(),
        field: field.to_owned(),
        found: value.to_string(),
        expected,
    };
    let positive = |field: &str, value: f32| match value.is_finite() && value > 0.0 {
        true => Ok(()),
        false => Err(wrong(field, value, "a finite number above 0")),
    };
    match &rotary.scaling {
        RopeScaling::None => Ok(()),
        RopeScaling::Linear { factor } => positive("factor", *factor),
        RopeScaling::Llama3 { factor, low_frequency_factor, high_frequency_factor, .. } => {
            positive("factor", *factor)?;
            positive("low_freq_factor", *low_frequency_factor)?;
            positive("high_freq_factor", *high_frequency_factor)?;
            if high_frequency_factor > low_frequency_factor {
                return Ok(());
            }
            Err(wrong("high_freq_factor", *high_frequency_factor, "above low_freq_factor"))
        }
        RopeScaling::Yarn { factor, beta_fast, beta_slow, attention_factor, .. } => {
            positive("factor", *factor)?;
            positive("beta_fast", *beta_fast)?;
            positive("beta_slow", *beta_slow)?;
            positive("attention_factor", *attention_factor)?;
            if beta_fast >= beta_slow {
                return Ok(());
            }
            Err(wrong("beta_fast", *beta_fast, "at least beta_slow"))
        }
        RopeScaling::Factors { factors } if factors.len() != rotary.size / 2 => {
            Err(ConfigError::RopeFactors { path: path(), found: factors.len(), expected: rotary.size / 2 })
        }
        RopeScaling::Factors { factors } => {
            factors.iter().try_for_each(|&factor| positive("rope_freqs.weight", factor))
        }
    }
}

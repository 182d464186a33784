//! Learning-rate schedules with a linear warm-up.
//!
//! # Source
//! `transformers.get_{linear,cosine,constant}_schedule_with_warmup`; `golden/schedule` holds their values.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray, VariantNames};

/// How the learning rate moves once the warm-up is over.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    VariantArray,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownSchedule, parse_err_fn = unknown)]
pub enum Schedule {
    /// Straight down to zero at the last step.
    #[default]
    Linear,
    /// Half a cosine wave down to zero at the last step.
    Cosine,
    /// Stays at its peak.
    Constant,
}

impl Schedule {
    /// The factor on the peak learning rate for the update that follows `completed` earlier ones.
    ///
    /// The first update of a warm-up has factor 0, and a warm-up that is longer than the run never reaches 1:
    /// both as in transformers.
    pub fn factor(self, completed: u64, warmup_steps: u64, total_steps: u64) -> f64 {
        if completed < warmup_steps {
            return completed as f64 / warmup_steps.max(1) as f64;
        }
        let decay_steps = total_steps.saturating_sub(warmup_steps).max(1) as f64;
        match self {
            Schedule::Linear => (total_steps.saturating_sub(completed) as f64 / decay_steps).max(0.0),
            Schedule::Cosine => {
                let progress = (completed - warmup_steps) as f64 / decay_steps;
                (0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0)
            }
            Schedule::Constant => 1.0,
        }
    }
}

/// A name that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no schedule; use linear, cosine or constant")]
pub struct UnknownSchedule {
    /// What was given.
    pub name: String,
}

fn unknown(name: &str) -> UnknownSchedule {
    UnknownSchedule { name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for &schedule in <Schedule as VariantArray>::VARIANTS {
            assert_eq!(schedule.to_string().parse(), Ok(schedule));
            assert_eq!(serde_json::to_string(&schedule).unwrap(), format!("\"{schedule}\""));
        }
        let error = "polynomial".parse::<Schedule>().unwrap_err();
        assert_eq!(error.to_string(), "`polynomial` is no schedule; use linear, cosine or constant");
    }

    #[test]
    fn a_warm_up_longer_than_the_run_only_rises() {
        let factors: Vec<f64> = (0..10).map(|step| Schedule::Linear.factor(step, 100, 10)).collect();
        assert!(factors.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(factors[9], 0.09);
    }
}

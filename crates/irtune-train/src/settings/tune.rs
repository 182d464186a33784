//! What of a layer trains.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What of a layer trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tune {
    /// Adapters beside its frozen matrices.
    #[default]
    Adapters,
    /// Its own weights: all seven matrices and both norms' gains. Embeddings and the final norm stay as they are.
    Weights,
}

impl fmt::Display for Tune {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Tune::Adapters => "adapters",
            Tune::Weights => "weights",
        })
    }
}

/// Nothing that can train.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is nothing of a layer that can train; use adapters or weights")]
pub struct UnknownTune {
    /// What was given.
    pub name: String,
}

impl FromStr for Tune {
    type Err = UnknownTune;

    fn from_str(name: &str) -> Result<Self, UnknownTune> {
        match name {
            "adapters" => Ok(Tune::Adapters),
            "weights" => Ok(Tune::Weights),
            _ => Err(UnknownTune { name: name.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for tune in [Tune::Adapters, Tune::Weights] {
            assert_eq!(tune.to_string().parse(), Ok(tune));
        }
        let error = "biases".parse::<Tune>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`biases` is nothing of a layer that can train; use adapters or weights"
        );
    }
}

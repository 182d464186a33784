//! What of a layer trains.

use serde::{Deserialize, Serialize};

/// What of a layer trains.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownTune, parse_err_fn = UnknownTune::new)]
pub enum Tune {
    /// Adapters beside its frozen matrices.
    #[default]
    Adapters,
    /// Its own weights: all seven matrices and both norms' gains. Embeddings and the final norm stay as they are.
    Weights,
}

/// Nothing that can train.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is nothing of a layer that can train; use adapters or weights")]
pub struct UnknownTune {
    /// What was given.
    pub name: String,
}

impl UnknownTune {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
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

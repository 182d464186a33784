//! What a run teaches the model.

use serde::{Deserialize, Serialize};

/// What a run teaches the model.
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
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownObjective, parse_err_fn = UnknownObjective::new)]
pub enum Objective {
    /// A new classification head over the last token's state.
    #[default]
    Head,
    /// The base's own language-model head says the label's words: the loss is the mean cross-entropy of their tokens, and
    /// a pair's label is the one whose words are the most likely.
    Words,
}

/// Not an objective.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no objective `{name}`; use head or words")]
pub struct UnknownObjective {
    /// What was given.
    pub name: String,
}

impl UnknownObjective {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for objective in [Objective::Head, Objective::Words] {
            assert_eq!(objective.to_string().parse(), Ok(objective));
        }
        let error = "tokens".parse::<Objective>().unwrap_err();
        assert_eq!(error.to_string(), "there is no objective `tokens`; use head or words");
    }
}

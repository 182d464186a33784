//! What a batch is made of.

use serde::{Deserialize, Serialize};

/// Which examples share a batch.
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
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownBatches, parse_err_fn = UnknownBatches::new)]
pub enum Batches {
    /// All examples in random order.
    #[default]
    Shuffled,
    /// Revisions of the same text follow each other, texts are in random order: a batch computes a text once.
    Related,
}

/// Not a way to make batches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are no `{name}` batches; use shuffled or related")]
pub struct UnknownBatches {
    /// What was given.
    pub name: String,
}

impl UnknownBatches {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for batches in [Batches::Shuffled, Batches::Related] {
            assert_eq!(batches.to_string().parse(), Ok(batches));
        }
        let error = "sorted".parse::<Batches>().unwrap_err();
        assert_eq!(error.to_string(), "there are no `sorted` batches; use shuffled or related");
    }
}

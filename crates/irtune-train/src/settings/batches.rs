//! What a batch is made of.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which examples share a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Batches {
    /// All examples in random order.
    #[default]
    Shuffled,
    /// Revisions of the same text follow each other, texts are in random order: a batch computes a text once.
    Related,
}

impl fmt::Display for Batches {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Batches::Shuffled => "shuffled",
            Batches::Related => "related",
        })
    }
}

/// Not a way to make batches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are no `{name}` batches; use shuffled or related")]
pub struct UnknownBatches {
    /// What was given.
    pub name: String,
}

impl FromStr for Batches {
    type Err = UnknownBatches;

    fn from_str(name: &str) -> Result<Self, UnknownBatches> {
        match name {
            "shuffled" => Ok(Batches::Shuffled),
            "related" => Ok(Batches::Related),
            _ => Err(UnknownBatches { name: name.to_owned() }),
        }
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

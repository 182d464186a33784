//! The values of the options of `ir`; other methods share some.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Whose details a method follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fidelity {
    /// The method as the paper means it.
    #[default]
    Paper,
    /// The published code, decision for decision.
    Published,
}

impl FromStr for Fidelity {
    type Err = ();

    fn from_str(text: &str) -> Result<Fidelity, ()> {
        match text {
            "paper" => Ok(Fidelity::Paper),
            "published" => Ok(Fidelity::Published),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Fidelity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Fidelity::Paper => "paper",
            Fidelity::Published => "published",
        })
    }
}

/// How often the ranking is split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SplitNum {
    /// Once.
    #[default]
    One,
    /// Once, and the chosen side once more.
    Two,
}

impl SplitNum {
    /// The number itself.
    pub fn splits(self) -> usize {
        match self {
            SplitNum::One => 1,
            SplitNum::Two => 2,
        }
    }
}

impl FromStr for SplitNum {
    type Err = ();

    fn from_str(text: &str) -> Result<SplitNum, ()> {
        match text {
            "1" => Ok(SplitNum::One),
            "2" => Ok(SplitNum::Two),
            _ => Err(()),
        }
    }
}

/// What `ir` scores layers by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Metric {
    /// The size of their adapters' gradients.
    #[default]
    Gradient,
    /// The cosine between their input and their output.
    Cosine,
    /// The size of their output projection.
    Weight,
}

impl FromStr for Metric {
    type Err = ();

    fn from_str(text: &str) -> Result<Metric, ()> {
        match text {
            "gradient" => Ok(Metric::Gradient),
            "cosine" => Ok(Metric::Cosine),
            "weight" => Ok(Metric::Weight),
            _ => Err(()),
        }
    }
}

//! What was wrong with a comparison.

use std::fmt;

/// What a golden found wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// `error` is the largest difference, relative to the largest expected value.
    Off {
        /// The tensor.
        key: String,
        /// Where the largest difference is.
        index: usize,
        /// What the golden has there.
        expected: f32,
        /// What was found there.
        found: f32,
        /// How far off that is.
        error: f64,
        /// How far off it may be.
        tolerance: f64,
    },
    /// A value that is NaN or infinite, `expected` or found.
    NotFinite {
        /// The tensor.
        key: String,
        /// Where the value is.
        index: usize,
        /// Whether it is the golden's.
        expected: bool,
    },
    /// As many values were found as `found` says.
    Size {
        /// The tensor.
        key: String,
        /// Values of the golden.
        expected: usize,
        /// Values found.
        found: usize,
    },
    /// Keys of the opened sections that nobody read.
    Unread(Vec<String>),
    /// No value was compared.
    NothingCompared,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Off { key, index, expected, found, error, tolerance } => {
                write!(
                    formatter,
                    "{key}[{index}] is {found}, PyTorch has {expected}: off by {error:.2e} of {tolerance:.2e}"
                )
            }
            Failure::NotFinite { key, index, expected } => {
                write!(
                    formatter,
                    "{key}[{index}] is not finite {}",
                    if *expected { "in the golden" } else { "here" }
                )
            }
            Failure::Size { key, expected, found } => {
                write!(formatter, "{key} has {found} values here, {expected} in the golden")
            }
            Failure::Unread(keys) => write!(formatter, "never read: {}", keys.join(", ")),
            Failure::NothingCompared => write!(formatter, "nothing was compared"),
        }
    }
}

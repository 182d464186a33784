//! What was wrong with a comparison.

use std::fmt;

/// What is measured of a whole tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The length of the differences, relative to the length of the expected values.
    L2,
    /// One minus the cosine of the angle between both.
    Cosine,
}

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
    /// All values together are further off than any one of them shows.
    WholeOff {
        /// The tensor.
        key: String,
        /// By what it is off.
        measure: Measure,
        /// How far off it is.
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
            Failure::WholeOff { key, measure, error, tolerance } => {
                let measure = match measure {
                    Measure::L2 => "relative L2 error",
                    Measure::Cosine => "one minus the cosine",
                };
                write!(formatter, "{key} as a whole is off: {measure} {error:.2e} of {tolerance:.2e}")
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

//! A setting that would fit.

use std::fmt;

use serde::Serialize;

/// A change of one setting, and the memory that the run then needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// The setting.
    pub setting: &'static str,
    /// Its value.
    pub value: String,
    /// The most memory that the run will then hold, in bytes.
    pub peak_bytes: u64,
}

impl Remedy {
    /// The change as a flag of the command line.
    pub fn flag(&self) -> String {
        format!("--{} {}", self.setting.replace('_', "-"), self.value)
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({:.1} GB)", self.flag(), self.peak_bytes as f64 / 1e9)
    }
}

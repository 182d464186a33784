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

impl fmt::Display for Remedy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = self.setting.replace('_', "-");
        write!(formatter, "--{flag} {} ({:.1} GB)", self.value, self.peak_bytes as f64 / 1e9)
    }
}

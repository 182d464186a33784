//! A limit on memory, as people write it.

use std::fmt;
use std::str::FromStr;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// A number of bytes, read from texts such as `600MB`, `1.5GB` or `2GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MemoryLimit {
    bytes: u64,
}

impl MemoryLimit {
    /// So many million bytes.
    pub fn of_megabytes(count: u64) -> Self {
        Self { bytes: count.max(1) * 1_000_000 }
    }

    /// The limit in bytes.
    pub fn bytes(self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }
}

impl FromStr for MemoryLimit {
    type Err = MemoryLimitError;

    fn from_str(text: &str) -> Result<Self, MemoryLimitError> {
        match text.parse::<ByteSize>() {
            Ok(ByteSize(bytes)) if bytes > 0 => Ok(Self { bytes }),
            _ => Err(MemoryLimitError { text: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for MemoryLimit {
    type Error = MemoryLimitError;

    fn try_from(text: String) -> Result<Self, MemoryLimitError> {
        text.parse()
    }
}

impl From<MemoryLimit> for String {
    fn from(limit: MemoryLimit) -> Self {
        limit.to_string()
    }
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Exact, so that what is written reads back as the same.
        match self.bytes {
            bytes if bytes.is_multiple_of(1_000_000_000) => write!(formatter, "{}GB", bytes / 1_000_000_000),
            bytes if bytes.is_multiple_of(1_000_000) => write!(formatter, "{}MB", bytes / 1_000_000),
            bytes => write!(formatter, "{bytes}B"),
        }
    }
}

/// Not a number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an amount of memory: write it like 600MB or 1.5GB")]
pub struct MemoryLimitError {
    /// What was given.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them_and_written_exactly() {
        for (text, bytes, written) in [
            ("600MB", 600_000_000, "600MB"),
            ("1.5 GB", 1_500_000_000, "1500MB"),
            ("2GB", 2_000_000_000, "2GB"),
            ("1KiB", 1024, "1024B"),
            ("1234567", 1_234_567, "1234567B"),
        ] {
            let limit: MemoryLimit = text.parse().unwrap();
            assert_eq!(limit.bytes(), bytes, "{text}");
            assert_eq!(limit.to_string(), written);
            assert_eq!(written.parse::<MemoryLimit>().unwrap(), limit);
        }
    }

    #[test]
    fn what_is_no_amount_is_named() {
        for text in ["", "much", "-1MB", "0"] {
            let error = text.parse::<MemoryLimit>().unwrap_err();
            assert!(error.to_string().contains("600MB"), "{error}");
        }
    }
}

//! Whether a mapped file is still the one that was mapped.

use std::{fs, path::Path, time::SystemTime};

/// A file's size, and when it was last written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    written: Option<SystemTime>,
}

impl Stamp {
    /// The file's as it is now; nothing where it is gone.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self { bytes: metadata.len(), written: metadata.modified().ok() })
    }
}

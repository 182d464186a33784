//! What a device can't do.

/// What a device can't do.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The thread pool could not be started.
    #[error("{threads} threads could not be started: ask for fewer with `threads`")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A frozen matrix of a kind that the device has no way to hold.
    #[error("this device can't hold a matrix of {rows} × {columns} stored as {format}: {why}")]
    Weight {
        /// How it is stored.
        format: &'static str,
        /// Its rows.
        rows: usize,
        /// Its columns.
        columns: usize,
        /// What stands in the way.
        why: String,
    },
}

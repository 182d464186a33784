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
    /// There is no room for a buffer.
    #[error("{}", no_room(*asked, *total, *available))]
    Memory {
        /// Bytes of the buffer; none when they are more than a number can say.
        asked: Option<usize>,
        /// Bytes of everything that was to be made with it, where that is known.
        total: Option<usize>,
        /// Bytes that are free, where the system says so.
        available: Option<usize>,
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

impl DeviceError {
    /// The same with how much was to be made in all.
    pub fn out_of(self, bytes: usize) -> Self {
        match self {
            DeviceError::Memory { asked, available, .. } => {
                DeviceError::Memory { asked, total: Some(bytes), available }
            }
            other => other,
        }
    }
}

/// What to say about a buffer that doesn't fit.
fn no_room(asked: Option<usize>, total: Option<usize>, available: Option<usize>) -> String {
    let megabytes = |bytes: usize| format!("{} MB", bytes.div_ceil(1_000_000));
    let mut text = match asked {
        Some(bytes) => format!("there is no room for a buffer of {}", megabytes(bytes)),
        None => "a buffer was asked for that no memory could hold".to_owned(),
    };
    if let Some(total) = total {
        text += &format!(", of {} that are needed in all", megabytes(total));
    }
    if let Some(available) = available {
        text += &format!("; {} are free", megabytes(available));
    }
    text + ": lower `memory` (--memory), `max_length`, `micro_batch_tokens` or the batch size"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_room_says_how_much_and_the_way_out() {
        let error = DeviceError::Memory { asked: Some(2_500_000), total: None, available: Some(1_000_000) };
        let message = error.out_of(9_000_000).to_string();
        assert_eq!(
            message,
            "there is no room for a buffer of 3 MB, of 9 MB that are needed in all; 1 MB are free: lower `memory` \
             (--memory), `max_length`, `micro_batch_tokens` or the batch size"
        );
        let error = DeviceError::Memory { asked: None, total: None, available: None };
        assert!(error.to_string().starts_with("a buffer was asked for that no memory could hold: lower"));
    }
}

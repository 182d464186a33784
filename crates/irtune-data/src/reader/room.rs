//! How large a file may become once it is unpacked.

use std::sync::Arc;

use crate::error::DataError;

/// Bytes that a compressed file may hold once unpacked. Pairs that people wrote stay far below it; a small file that was
/// made badly, or to do harm, can unpack to any size.
pub(super) const LIMIT: u64 = 1 << 30;

/// What is left of the limit.
pub(super) struct Room {
    file: Arc<str>,
    limit: u64,
    left: u64,
}

impl Room {
    pub fn new(file: &Arc<str>, limit: u64) -> Room {
        Room { file: file.clone(), limit, left: limit }
    }

    /// What is left, in bytes.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Uses some of it.
    ///
    /// # Errors
    /// When no more is left.
    pub fn take(&mut self, bytes: u64) -> Result<(), DataError> {
        let gone = || DataError::Unpacked { file: self.file.clone(), limit: self.limit };
        self.left = self.left.checked_sub(bytes).ok_or_else(gone)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_told_with_the_file_and_a_way_out() {
        let mut room = Room::new(&"a.xlsx".into(), LIMIT);
        room.take(LIMIT - 1).unwrap();
        assert_eq!(room.left(), 1);
        assert_eq!(
            room.take(2).unwrap_err().to_string(),
            "a.xlsx: unpacked it holds more than 1024 MiB, which is the most that is read of a compressed file; split \
             it, or save it as CSV or JSON lines"
        );
    }
}

//! Reading little-endian values from bytes that may end at any point.

use std::path::Path;

use super::GgufError;

/// A place in a file's bytes.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    path: &'a Path,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8], path: &'a Path) -> Self {
        Self { bytes, position: 0, path }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn path(&self) -> &'a Path {
        self.path
    }

    /// All bytes from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.position]
    }

    /// The error of a file that ends before `needed` more bytes.
    pub(super) fn truncated(&self, needed: usize) -> GgufError {
        GgufError::Truncated {
            path: self.path.to_owned(),
            offset: self.position,
            needed,
            length: self.bytes.len(),
        }
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], GgufError> {
        let end = self.position.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| self.truncated(count))?;
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], GgufError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, GgufError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, GgufError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A count of bytes or values, which can't be more than memory could hold.
    pub(super) fn length(&mut self) -> Result<usize, GgufError> {
        let length = self.u64()?;
        usize::try_from(length).map_err(|_| self.truncated(usize::MAX))
    }

    /// A string's bytes, which needn't be UTF-8.
    pub(super) fn string(&mut self) -> Result<&'a [u8], GgufError> {
        let length = self.length()?;
        self.take(length)
    }

    /// A name, which must be UTF-8.
    pub(super) fn name(&mut self) -> Result<&'a str, GgufError> {
        let offset = self.position;
        let bytes = self.string()?;
        std::str::from_utf8(bytes).map_err(|_| GgufError::Name { path: self.path.to_owned(), offset })
    }
}

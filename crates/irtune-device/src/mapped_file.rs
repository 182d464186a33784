//! Memory-mapped files: the one place with `unsafe` code outside a device's kernels.

use std::{fs::File, io, ops::Deref, path::Path};

/// A file's bytes, mapped read-only; pages are read when first touched and can be dropped by the system.
#[derive(Debug)]
pub struct MappedFile(memmap2::Mmap);

impl MappedFile {
    /// Maps the whole file at `path`.
    ///
    /// # Errors
    /// Whatever opening or mapping the file gives; an empty file cannot be mapped on some systems.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // SAFETY: the map is read-only and private. Another process that shortens the file while it is mapped
        // could still end this one with SIGBUS; that is inherent in mapping, and documented for users.
        #[allow(unsafe_code)]
        let map = unsafe { memmap2::Mmap::map(&file)? };
        Ok(Self(map))
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

//! The few file operations that safety rests on, behind a trait so that tests can stop between any two.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::temporary::{parent, sync_folder, sync_tree};

/// What writes a file's content.
pub type Content<'a> = &'a mut dyn FnMut(&mut dyn Write) -> io::Result<()>;

/// File operations; each but [`append`](Files::append) is durable when it returns.
pub trait Files: Send + Sync {
    /// Makes a directory and its missing parents.
    ///
    /// # Errors
    /// What the operating system says.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes a file, or empties an existing one, and writes it through to the disk.
    ///
    /// # Errors
    /// What the operating system or `content` says; the file may then be there in part.
    fn write(&self, path: &Path, content: Content<'_>) -> io::Result<()>;

    /// Adds bytes at the end of a file, which is made when missing.
    ///
    /// # Errors
    /// What the operating system says; the file keeps its old length when it still can.
    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was appended to a file durable; one that is missing is no error.
    ///
    /// # Errors
    /// What the operating system says.
    fn sync(&self, path: &Path) -> io::Result<()>;

    /// Shortens a file; one that is missing counts as empty.
    ///
    /// # Errors
    /// What the operating system says, or `UnexpectedEof` when the file is shorter than `length`.
    fn truncate(&self, path: &Path, length: u64) -> io::Result<()>;

    /// Moves a file or directory within a file system, at once, and makes the move durable, with the entries of a directory and of those in it.
    ///
    /// # Errors
    /// What the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; one that is missing is no error.
    ///
    /// # Errors
    /// What the operating system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with all it holds; one that is missing is no error.
    ///
    /// # Errors
    /// What the operating system says.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;
}

/// The real file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn write(&self, path: &Path, content: Content<'_>) -> io::Result<()> {
        let mut writer = BufWriter::with_capacity(1 << 16, File::create(path)?);
        content(&mut writer)?;
        writer.flush()?;
        writer.get_ref().sync_all()
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        let length = file.metadata()?.len();
        file.write_all(bytes).inspect_err(|_| {
            // Half a line would make the file unreadable; if this fails too, the first error is the one to report.
            let _ = file.set_len(length);
        })
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        // Opened for writing because Windows flushes no other handle.
        absent_is_fine(OpenOptions::new().append(true).open(path).and_then(|file| file.sync_all()))
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        let file = match OpenOptions::new().write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound && length == 0 => return Ok(()),
            Err(error) => return Err(error),
        };
        let present = file.metadata()?.len();
        if present < length {
            let message = format!("{present} bytes are there, {length} were written");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        file.set_len(length)?;
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if from.is_dir() {
            sync_tree(from)?;
        }
        fs::rename(from, to)?;
        sync_folder(parent(to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        absent_is_fine(fs::remove_file(path))
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        absent_is_fine(fs::remove_dir_all(path))
    }
}

/// Writes a file through to the disk: one of a folder that is itself still being written.
///
/// # Errors
/// What the operating system says; the file may then be there in part.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Disk.write(path, &mut |writer| writer.write_all(bytes))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_shortened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        Disk.write(&path, &mut |writer| writer.write_all(b"one\n")).unwrap();
        Disk.append(&path, b"two\n").unwrap();
        Disk.sync(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
        Disk.truncate(&path, 4).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\n");
        let error = Disk.truncate(&path, 9).unwrap_err();
        assert_eq!(error.to_string(), "4 bytes are there, 9 were written");
    }

    #[test]
    fn what_is_missing_need_not_be_removed() {
        let directory = tempfile::tempdir().unwrap();
        Disk.remove_file(&directory.path().join("none")).unwrap();
        Disk.remove_directory(&directory.path().join("none")).unwrap();
        Disk.sync(&directory.path().join("none")).unwrap();
        Disk.truncate(&directory.path().join("none"), 0).unwrap();
        Disk.truncate(&directory.path().join("none"), 1).unwrap_err();
    }
}

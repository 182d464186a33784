//! Files that fail on demand.

use irtune_files::{Content, Files};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

/// What a run of files does at a chosen operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// Nothing ever fails.
    Lives,
    /// From the operation of this number on, nothing more happens: the process is dead.
    Dies(usize),
    /// The operation of this number finds the disk full; later ones work.
    Fills(usize),
}

/// Files without the wait for the disk, which count operations and can fail at one.
pub struct TestFiles {
    fate: Fate,
    operations: Mutex<usize>,
}

enum Turn {
    Whole,
    Part,
    None,
}

impl TestFiles {
    pub fn new(fate: Fate) -> Self {
        Self { fate, operations: Mutex::new(0) }
    }

    pub fn operations(&self) -> usize {
        *self.operations.lock().unwrap()
    }

    fn turn(&self) -> Turn {
        let mut operations = self.operations.lock().unwrap();
        let now = *operations;
        *operations += 1;
        match self.fate {
            Fate::Dies(at) | Fate::Fills(at) if now == at => Turn::Part,
            Fate::Dies(at) if now > at => Turn::None,
            _ => Turn::Whole,
        }
    }

    fn failure(&self) -> io::Error {
        match self.fate {
            Fate::Fills(_) => io::Error::from(io::ErrorKind::StorageFull),
            _ => io::Error::other("killed"),
        }
    }

    /// An operation that happens or not; where half of it can happen, it does when it fails.
    fn operation(&self, whole: impl FnOnce() -> io::Result<()>, half: impl FnOnce()) -> io::Result<()> {
        match self.turn() {
            Turn::Whole => whole(),
            Turn::Part => {
                half();
                Err(self.failure())
            }
            Turn::None => Err(self.failure()),
        }
    }
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

impl Files for TestFiles {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.operation(|| fs::create_dir_all(path), || {})
    }

    fn write(&self, path: &Path, content: Content<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        content(&mut bytes)?;
        self.operation(|| fs::write(path, &bytes), || fs::write(path, &bytes[..bytes.len() / 2]).unwrap())
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let add =
            |bytes: &[u8]| fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(bytes);
        let killed = matches!(self.fate, Fate::Dies(_));
        self.operation(
            || add(bytes),
            || {
                if killed {
                    add(&bytes[..bytes.len() / 2]).unwrap();
                }
            },
        )
    }

    fn sync(&self, _path: &Path) -> io::Result<()> {
        self.operation(|| Ok(()), || {})
    }

    fn truncate(&self, path: &Path, length: u64) -> io::Result<()> {
        self.operation(|| irtune_files::Disk.truncate(path, length), || {})
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operation(|| fs::rename(from, to), || {})
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.operation(|| absent_is_fine(fs::remove_file(path)), || {})
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        let half = || {
            // Removing a folder is not done at once: a part of it may be gone.
            if let Some(entry) = fs::read_dir(path).ok().and_then(|mut entries| entries.next()) {
                let _ = fs::remove_file(entry.unwrap().path());
            }
        };
        self.operation(|| absent_is_fine(fs::remove_dir_all(path)), half)
    }
}

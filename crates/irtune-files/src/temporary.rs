//! Temporary names beside a path, and what killed processes left under them.
//!
//! What is being written is locked. So another writer to the same path, in this process or another, can tell it from
//! what a killed process left behind, whose lock the system has released.

use std::{
    ffi::OsStr,
    fs::{self, File, TryLockError},
    hash::{BuildHasher as _, Hasher as _, RandomState},
    io,
    path::{Path, PathBuf},
    process,
};

use crate::Files;

const ENDING: &str = ".writing";

/// A file or folder under a temporary name, locked for as long as this lives.
///
/// Only Unix locks folders, and lets a locked file be written through another handle; elsewhere, and on some network
/// disks, nothing is locked, and nothing that was left behind is removed.
pub(crate) struct Temporary {
    /// Its path, beside the final one.
    pub(crate) path: PathBuf,
    _lock: Option<File>,
}

impl Temporary {
    /// An empty file beside `path`.
    pub(crate) fn file(files: &dyn Files, path: &Path) -> io::Result<Temporary> {
        Self::claim(files, path, |writing| File::create_new(writing).map(drop))
    }

    /// An empty folder beside `path`, made with its missing parents.
    pub(crate) fn folder(files: &dyn Files, path: &Path) -> io::Result<Temporary> {
        files.create_directory(parent(path))?;
        Self::claim(files, path, |writing| fs::create_dir(writing))
    }

    fn claim(
        files: &dyn Files,
        path: &Path,
        create: impl Fn(&Path) -> io::Result<()>,
    ) -> io::Result<Temporary> {
        remove_abandoned(files, path);
        loop {
            let writing = beside(path)?;
            match create(&writing) {
                // On a disk that several machines or containers share, another one may have the same process number.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                created => created?,
            }
            // Another writer may take it for abandoned between the two, and remove it.
            let lock = lock(&writing);
            let taken = matches!(lock, Err(TryLockError::WouldBlock)) || !writing.exists();
            if !taken {
                return Ok(Temporary { path: writing, _lock: lock.ok() });
            }
        }
    }
}

/// Locks a file or folder until the result is dropped.
pub(crate) fn lock(path: &Path) -> Result<File, TryLockError> {
    if !cfg!(unix) {
        return Err(TryLockError::Error(io::ErrorKind::Unsupported.into()));
    }
    let file = File::open(path).map_err(TryLockError::Error)?;
    file.try_lock()?;
    Ok(file)
}

/// What the temporary names of a path begin with; an error when the path does not end in a name.
fn beginning(path: &Path) -> io::Result<String> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path doesn't end in a name"))?;
    Ok(format!(".{}.", name.to_string_lossy()))
}

/// A name beside `path` that no other process and no other call of this one uses.
///
/// The number of the process tells a person who writes; what makes the name the only one is drawn at random, since
/// machines and containers that share a disk have processes of the same number.
fn beside(path: &Path) -> io::Result<PathBuf> {
    // The standard library draws the keys of a hasher from the system, and other ones for each.
    let drawn = RandomState::new().build_hasher().finish();
    Ok(path.with_file_name(format!("{}{}-{drawn:016x}{ENDING}", beginning(path)?, process::id())))
}

/// Removes what killed processes left beside `path`: temporary names of it that nobody has locked.
///
/// What can't be removed stays; it is in nobody's way.
fn remove_abandoned(files: &dyn Files, path: &Path) {
    let Ok(beginning) = beginning(path) else { return };
    let Ok(entries) = fs::read_dir(parent(path)) else { return };
    for entry in entries.flatten() {
        let left = entry.path();
        if !entry.file_name().to_str().is_some_and(|name| is_temporary(name, &beginning)) {
            continue;
        }
        if let Ok(_lock) = lock(&left) {
            // The first failure that matters is that of writing itself.
            let _ = if left.is_dir() { files.remove_directory(&left) } else { files.remove_file(&left) };
        }
    }
}

/// Whether a name is a temporary one: `.NAME.PROCESS-DRAWN.writing`, the first number decimal, the second hexadecimal.
fn is_temporary(name: &str, beginning: &str) -> bool {
    let all = |text: &str, digit: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(digit);
    let middle = name.strip_prefix(beginning).and_then(|rest| rest.strip_suffix(ENDING));
    middle
        .and_then(|middle| middle.split_once('-'))
        .is_some_and(|(process, drawn)| all(process, u8::is_ascii_digit) && all(drawn, u8::is_ascii_hexdigit))
}

/// Whether a file or folder has a temporary name beside `path`.
pub(crate) fn is_temporary_of(path: &Path, found: &OsStr) -> bool {
    let beginning = beginning(path);
    beginning.is_ok_and(|beginning| found.to_str().is_some_and(|name| is_temporary(name, &beginning)))
}

/// The folder that a path lies in.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the entries of a folder durable, and those of all folders in it.
pub(crate) fn sync_tree(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(path)
}

/// Makes the entries of a folder durable; only Unix can open a folder for that.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Disk;

    #[test]
    fn names_differ_and_stay_beside_their_place() {
        let path = Path::new("runs/first");
        let (one, other) = (beside(path).unwrap(), beside(path).unwrap());
        assert_ne!(one, other);
        assert_eq!(one.parent(), path.parent());
        assert!(is_temporary(one.file_name().unwrap().to_str().unwrap(), ".first."));
        assert!(beside(Path::new("/")).is_err());
        assert_eq!((parent(path), parent(Path::new("first"))), (Path::new("runs"), Path::new(".")));
    }

    #[cfg(unix)]
    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run");
        let left = place.path().join(".run.123-3.writing");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("half"), "x").unwrap();
        let written_now = Temporary::folder(&Disk, &path).unwrap();
        assert!(!left.exists());
        let others = [".run.b.123-3.writing", ".run.mine.writing", ".run.previous"];
        for name in others {
            fs::write(place.path().join(name), "x").unwrap();
        }
        let second = Temporary::file(&Disk, &path).unwrap();
        for name in others {
            assert!(place.path().join(name).exists(), "{name}");
        }
        assert!(written_now.path.exists(), "it is locked");
        let abandoned = written_now.path.clone();
        drop(written_now);
        let third = Temporary::folder(&Disk, &path).unwrap();
        assert!(!abandoned.exists() && second.path.exists() && third.path.exists());
    }
}

//! An empty folder that is filled and stays the same folder.
//!
//! What it is to hold is written into a folder inside it, `.new.PROCESS-DRAWN.writing`. That is renamed to
//! [`COMPLETE`] when it is whole; from then on the folder counts as filled, and the entries move up one by one. Whoever
//! finds [`COMPLETE`] after the process has ended moves the rest.

use std::{
    fs::{self, TryLockError},
    io,
    path::Path,
};

use crate::{
    Disk, Files, WriteError,
    temporary::{Temporary, is_temporary_of, lock},
};

/// What the folder inside is called before it is whole, but for what makes temporary names differ.
const WRITING: &str = "new";
/// What it is called from then on.
const COMPLETE: &str = ".new.complete";

/// Has an empty folder filled by `fill`.
///
/// # Errors
/// When it is not empty, another process is filling it, it can't be written, or `fill` says so; it is then empty.
pub(crate) fn fill_folder<T, E: From<WriteError>>(
    files: &dyn Files,
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    let failed = WriteError::at(path);
    let _lock = match lock(path) {
        Err(TryLockError::WouldBlock) => return Err(failed(io::ErrorKind::ResourceBusy.into()).into()),
        // Where folders can't be locked, two processes at once are told apart by the rename alone.
        other => other.ok(),
    };
    move_up(files, path).map_err(&failed)?;
    let writing = Temporary::folder(files, &path.join(WRITING)).map_err(&failed)?;
    let complete = path.join(COMPLETE);
    let create = || {
        if !is_free(path).map_err(&failed)? {
            return Err(failed(io::ErrorKind::DirectoryNotEmpty.into()).into());
        }
        let filled = fill(&writing.path)?;
        files.rename(&writing.path, &complete).map_err(&failed)?;
        Ok(filled)
    };
    let filled = create().inspect_err(|_: &E| {
        // The first error is the one to report.
        let _ = files.remove_directory(&writing.path);
    })?;
    move_up(files, path).map_err(&failed)?;
    Ok(filled)
}

/// Whether a folder holds nothing but what is being written, or was left behind half written, to fill it.
///
/// # Errors
/// When it can't be read.
pub fn is_free(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        if !is_temporary_of(&path.join(WRITING), &entry?.file_name()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Moves up what is complete, unless another process does so.
///
/// # Errors
/// When an entry can't be moved.
pub(crate) fn finish(path: &Path) -> io::Result<()> {
    if !path.join(COMPLETE).is_dir() {
        return Ok(());
    }
    match lock(path) {
        Err(TryLockError::WouldBlock) => Ok(()),
        _lock => move_up(&Disk, path),
    }
}

fn move_up(files: &dyn Files, path: &Path) -> io::Result<()> {
    let complete = path.join(COMPLETE);
    let entries = match fs::read_dir(&complete) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        files.rename(&entry.path(), &path.join(entry.file_name()))?;
    }
    files.remove_directory(&complete)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{create_folder, recover_folder};
    use std::fs::File;

    fn fill(writing: &Path) -> Result<(), WriteError> {
        Disk.create_directory(&writing.join("data")).map_err(WriteError::at(writing))?;
        for name in ["one", "two", "data/three"] {
            let path = writing.join(name);
            Disk.write(&path, &mut |writer| writer.write_all(name.as_bytes()))
                .map_err(WriteError::at(&path))?;
        }
        Ok(())
    }

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[cfg(unix)]
    #[test]
    fn an_empty_folder_stays_the_same_folder() {
        use std::os::unix::fs::MetadataExt as _;
        let place = tempfile::tempdir().unwrap();
        let before = fs::metadata(place.path()).unwrap().ino();
        create_folder(&Disk, place.path(), fill).unwrap();
        assert_eq!(names(place.path()), ["data", "one", "two"]);
        assert_eq!(fs::read(place.path().join("data/three")).unwrap(), b"data/three");
        assert_eq!(fs::metadata(place.path()).unwrap().ino(), before);
    }

    #[test]
    fn what_fails_leaves_it_empty() {
        let place = tempfile::tempdir().unwrap();
        let error = create_folder(&Disk, place.path(), |writing| {
            fill(writing)?;
            Err::<(), _>(WriteError::at(Path::new("data/four"))(io::ErrorKind::StorageFull.into()))
        });
        assert!(error.unwrap_err().to_string().contains("data/four"));
        assert_eq!(names(place.path()), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn one_process_at_a_time_fills_it() {
        let place = tempfile::tempdir().unwrap();
        let other = File::open(place.path()).unwrap();
        other.lock().unwrap();
        let error = create_folder(&Disk, place.path(), fill).unwrap_err().to_string();
        assert!(error.contains("another process is writing there"), "{error}");
        assert_eq!(names(place.path()), [""; 0]);
        drop(other);
        create_folder(&Disk, place.path(), fill).unwrap();
    }

    #[test]
    fn what_a_killed_process_left_is_no_obstacle() {
        let place = tempfile::tempdir().unwrap();
        let left = place.path().join(".new.123-3.writing");
        fs::create_dir(&left).unwrap();
        fill(&left).unwrap();
        assert!(is_free(place.path()).unwrap());
        recover_folder(place.path()).unwrap();
        assert_eq!(names(place.path()), [".new.123-3.writing"]);
        create_folder(&Disk, place.path(), fill).unwrap();
        assert!(!is_free(place.path()).unwrap());
        // Elsewhere nothing can be locked, and so nothing is taken for left behind.
        if cfg!(unix) {
            assert_eq!(names(place.path()), ["data", "one", "two"]);
        }
    }

    #[test]
    fn what_was_complete_is_moved_up_afterwards() {
        let place = tempfile::tempdir().unwrap();
        let complete = place.path().join(COMPLETE);
        fs::create_dir(&complete).unwrap();
        fill(&complete).unwrap();
        // Two were moved when the process ended.
        fs::rename(complete.join("one"), place.path().join("one")).unwrap();
        fs::rename(complete.join("data"), place.path().join("data")).unwrap();
        assert!(!is_free(place.path()).unwrap());
        recover_folder(place.path()).unwrap();
        assert_eq!(names(place.path()), ["data", "one", "two"]);
        let error = create_folder(&Disk, place.path(), fill).unwrap_err().to_string();
        assert!(error.contains("choose another name"), "{error}");
        assert_eq!(names(place.path()), ["data", "one", "two"]);
    }
}

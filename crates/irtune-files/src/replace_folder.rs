//! Replacing a folder as a whole: whenever the process ends, the old one or the new one is there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Disk, Files as _, fill_folder, temporary::Temporary};

/// Why a folder can't be replaced.
#[derive(Debug)]
pub enum ReplaceError {
    /// It holds this file, which replacing would delete.
    Foreign(String),
    /// It can't be written.
    Write(io::Error),
}

/// The name that a folder's predecessor has between the two renames of a replacement.
fn previous(folder: &Path) -> io::Result<PathBuf> {
    let name = folder.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the path doesn't end in a folder's name")
    })?;
    Ok(folder.with_file_name(format!(".{}.previous", name.to_string_lossy())))
}

/// Takes up what was broken off when a process ended: a replacement between its two renames, or the last moves of
/// [`create_folder`](crate::create_folder) in a folder that was there.
///
/// # Errors
/// When there is something to take up, and a rename fails.
pub fn recover_folder(folder: &Path) -> io::Result<()> {
    fill_folder::finish(folder)?;
    // Without a name of its own, as `.`, it can't have been replaced.
    let Ok(previous) = previous(folder) else { return Ok(()) };
    if !folder.exists() && previous.exists() {
        Disk.rename(&previous, folder)?;
    }
    Ok(())
}

/// Has a folder of that name filled by `fill`, in place of an earlier one, which must hold no other files than `known`.
///
/// What `fill` writes must be durable when it returns, as what [`Disk`] writes is.
///
/// # Errors
/// [`ReplaceError`]; the folder is then what it was before.
pub fn replace_folder(
    folder: &Path,
    known: &[&str],
    fill: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), ReplaceError> {
    let failed = ReplaceError::Write;
    let previous = previous(folder).map_err(failed)?;
    recover_folder(folder).map_err(failed)?;
    if let Some(file) = foreign_file(folder, known).map_err(failed)? {
        return Err(ReplaceError::Foreign(file));
    }
    let writing = Temporary::folder(&Disk, folder).map_err(failed)?;
    let written = fill(&writing.path).and_then(|()| exchange(folder, &writing.path, &previous));
    written.map_err(|source| {
        // The first error is the one to report.
        let _ = Disk.remove_directory(&writing.path);
        failed(source)
    })
}

fn foreign_file(folder: &Path, known: &[&str]) -> io::Result<Option<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !known.contains(&name.as_str()) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn exchange(folder: &Path, writing: &Path, previous: &Path) -> io::Result<()> {
    if folder.exists() {
        Disk.remove_directory(previous)?;
        Disk.rename(folder, previous)?;
    }
    Disk.rename(writing, folder)?;
    Disk.remove_directory(previous)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write_file;

    const CONFIG_FILE: &str = "config.json";

    fn replace(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), ReplaceError> {
        replace_folder(folder, &[CONFIG_FILE], |writing| {
            files.iter().try_for_each(|(name, bytes)| write_file(&writing.join(name), bytes))
        })
    }

    #[test]
    fn a_broken_off_replacement_leaves_the_old_folder_or_the_new() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("adapter");
        replace(&folder, &[(CONFIG_FILE, b"old".to_vec())]).unwrap();

        // Ended while writing: the old one stands, and the leftovers don't get into the next.
        let writing = place.path().join(".adapter.123-0.writing");
        let previous = previous(&folder).unwrap();
        fs::create_dir(&writing).unwrap();
        fs::write(writing.join("half"), "x").unwrap();
        assert_eq!(fs::read(folder.join(CONFIG_FILE)).unwrap(), b"old");
        replace(&folder, &[(CONFIG_FILE, b"new".to_vec())]).unwrap();
        assert_eq!(fs::read(folder.join(CONFIG_FILE)).unwrap(), b"new");
        assert!(!folder.join("half").exists());

        // Ended between the renames: the old one is taken up again.
        fs::rename(&folder, &previous).unwrap();
        recover_folder(&folder).unwrap();
        assert_eq!(fs::read(folder.join(CONFIG_FILE)).unwrap(), b"new");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_with_other_files_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("thesis.tex"), "years of work").unwrap();
        let error = replace(place.path(), &[(CONFIG_FILE, vec![])]).unwrap_err();
        assert!(matches!(&error, ReplaceError::Foreign(file) if file == "thesis.tex"), "{error:?}");
        assert_eq!(fs::read(place.path().join("thesis.tex")).unwrap(), b"years of work");
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        for folder in [&file.join("adapter"), Path::new("/")] {
            let error = replace(folder, &[(CONFIG_FILE, vec![])]).unwrap_err();
            assert!(matches!(error, ReplaceError::Write(_)), "{error:?}");
        }
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }
}

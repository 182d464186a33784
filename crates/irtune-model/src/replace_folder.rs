//! Replacing a folder as a whole: whenever the process ends, the old one or the new one is there.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Why a folder can't be replaced.
#[derive(Debug)]
pub(crate) enum ReplaceError {
    /// It holds this file, which replacing would delete.
    Foreign(String),
    /// It can't be written.
    Write(io::Error),
}

/// The folder's name while it is written, and the name its predecessor has between two renames.
fn siblings(folder: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let name = folder.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the path doesn't end in a folder's name")
    })?;
    let name = name.to_string_lossy();
    let beside = |suffix| folder.with_file_name(format!(".{name}.{suffix}"));
    Ok((beside("writing"), beside("previous")))
}

/// Takes up a replacement that was broken off between its two renames.
pub(crate) fn recover(folder: &Path) -> io::Result<()> {
    let (_, previous) = siblings(folder)?;
    if !folder.exists() && previous.exists() {
        fs::rename(&previous, folder)?;
    }
    Ok(())
}

/// Has a folder of that name filled by `write`, in place of an earlier one, which must hold no other files than `known`.
pub(crate) fn replace(
    folder: &Path,
    known: &[&str],
    write: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), ReplaceError> {
    let failed = ReplaceError::Write;
    recover(folder).map_err(failed)?;
    if let Some(file) = foreign_file(folder, known).map_err(failed)? {
        return Err(ReplaceError::Foreign(file));
    }
    let (writing, previous) = siblings(folder).map_err(failed)?;
    let written = fill(&writing, write).and_then(|()| exchange(folder, &writing, &previous));
    if written.is_err() {
        // The first error is the one to report; what stays behind is overwritten next time.
        fs::remove_dir_all(&writing).ok();
    }
    written.map_err(failed)
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

fn fill(writing: &Path, write: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    remove(writing)?;
    fs::create_dir_all(writing)?;
    write(writing)?;
    sync_folder(writing)
}

/// Writes a file through to the disk.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn exchange(folder: &Path, writing: &Path, previous: &Path) -> io::Result<()> {
    if folder.exists() {
        remove(previous)?;
        fs::rename(folder, previous)?;
    }
    fs::rename(writing, folder)?;
    match folder.parent() {
        Some(parent) if parent != Path::new("") => sync_folder(parent)?,
        _ => sync_folder(Path::new("."))?,
    }
    remove(previous)
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Makes a folder's entries durable, where the system can open a folder for that.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Writes a file of tensors through to the disk, readable by whom other new files are; the crate itself makes files for
/// their owner alone.
pub(crate) fn write_tensors<S, V>(
    tensors: impl IntoIterator<Item = (S, V)>,
    path: &Path,
) -> Result<(), safetensors::SafeTensorError>
where
    S: AsRef<str> + Ord + std::fmt::Display,
    V: safetensors::View,
{
    let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let permissions = File::create(path)?.metadata()?.permissions();
    safetensors::serialize_to_file(tensors, Some(metadata), path)?;
    fs::set_permissions(path, permissions)?;
    Ok(File::open(path)?.sync_all()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG_FILE: &str = "config.json";

    fn replace(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<(), ReplaceError> {
        super::replace(folder, &[CONFIG_FILE], |writing| {
            files.iter().try_for_each(|(name, bytes)| write_file(&writing.join(name), bytes))
        })
    }

    #[test]
    fn a_broken_off_replacement_leaves_the_old_folder_or_the_new() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("adapter");
        replace(&folder, &[(CONFIG_FILE, b"old".to_vec())]).unwrap();

        // Ended while writing: the old one stands, and the leftovers don't get into the next.
        let (writing, previous) = siblings(&folder).unwrap();
        fs::create_dir(&writing).unwrap();
        fs::write(writing.join("half"), "x").unwrap();
        assert_eq!(fs::read(folder.join(CONFIG_FILE)).unwrap(), b"old");
        replace(&folder, &[(CONFIG_FILE, b"new".to_vec())]).unwrap();
        assert_eq!(fs::read(folder.join(CONFIG_FILE)).unwrap(), b"new");
        assert!(!folder.join("half").exists());

        // Ended between the renames: the old one is taken up again.
        fs::rename(&folder, &previous).unwrap();
        recover(&folder).unwrap();
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

//! A new folder with all it holds, or none.

use std::path::Path;

use crate::{Files, WriteError, temporary::Temporary};

/// Has a folder filled beside its place by `fill` and renames it there; when that fails nothing is left.
///
/// # Errors
/// When a folder that is not empty is there already, when it can't be written, or when `fill` says so.
pub fn create_folder<T, E: From<WriteError>>(
    files: &dyn Files,
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    let writing = Temporary::folder(files, path).map_err(WriteError::at(path))?;
    let create = || {
        let filled = fill(&writing.path)?;
        files.rename(&writing.path, path).map_err(WriteError::at(path))?;
        Ok(filled)
    };
    create().inspect_err(|_| {
        // The first error is the one to report.
        let _ = files.remove_directory(&writing.path);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Disk;
    use std::fs;

    fn create(path: &Path, file: &str) -> Result<usize, WriteError> {
        create_folder(&Disk, path, |writing| {
            assert_ne!(writing, path);
            let file = writing.join(file);
            Disk.write(&file, &mut |writer| writer.write_all(b"x")).map_err(WriteError::at(&file))?;
            Ok(7)
        })
    }

    #[test]
    fn it_appears_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run");
        let error = create(&path, "missing/file").unwrap_err();
        assert!(error.to_string().contains("missing/file"), "{error}");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "nothing is left");
        assert_eq!(create(&path, "file").unwrap(), 7);
        assert_eq!(fs::read(path.join("file")).unwrap(), b"x");
    }

    #[test]
    fn what_is_there_stays() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run");
        create(&path, "first").unwrap();
        create(&path, "second").unwrap_err();
        assert!(path.join("first").exists() && !path.join("second").exists());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}

//! A new folder with all it holds, or none.

use std::path::Path;

use crate::{Files, WriteError, fill_folder::fill_folder, temporary::Temporary};

/// Makes a folder with what `fill` writes into it, all of it or nothing.
///
/// Where nothing is, the folder is filled under another name beside its place and then renamed. An empty folder that is
/// there already stays the same folder: it may be the working directory of this process, a place where a disk is mounted,
/// or all that its owner may write to. It is filled in a folder inside it, whose entries then move up; if the process ends
/// while they do, [`recover_folder`](crate::recover_folder) moves the rest.
///
/// # Errors
/// When a folder that is not empty is there already, when it can't be written, or when `fill` says so. Of two processes
/// that make the same folder one has this error.
pub fn create_folder<T, E: From<WriteError>>(
    files: &dyn Files,
    path: &Path,
    fill: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    if path.is_dir() {
        return fill_folder(files, path, fill);
    }
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
        let error = create(&path, "second").unwrap_err();
        assert!(error.to_string().ends_with("choose another name"), "{error}");
        assert!(path.join("first").exists() && !path.join("second").exists());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "nothing is left in it");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn of_two_that_make_the_same_folder_one_is_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("run");
        let error = create_folder(&Disk, &path, |writing| {
            create(&path, "theirs").unwrap();
            let own = writing.join("own");
            Disk.write(&own, &mut |writer| writer.write_all(b"x")).map_err(WriteError::at(&own))
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains("meanwhile"), "{error}");
        assert!(path.join("theirs").exists() && !path.join("own").exists());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}

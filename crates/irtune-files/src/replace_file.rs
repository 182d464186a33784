//! One file, written whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use serde::Serialize;

use crate::{Content, Files, WriteError, temporary::Temporary};

/// Writes a file beside its place and renames it there; when that fails nothing is left, and what was there stays. A link
/// stays one: the file that it names is replaced. What is no file, such as a pipe or a device, is written into.
///
/// # Errors
/// When it can't be written, or when `content` says so.
pub fn replace_file(files: &dyn Files, path: &Path, content: Content<'_>) -> Result<(), WriteError> {
    let failed = WriteError::at(path);
    let path = &match fs::metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => {
            return write_into(path, content).map_err(failed);
        }
        Ok(_) if path.is_symlink() => fs::canonicalize(path).map_err(&failed)?,
        _ => path.to_owned(),
    };
    let writing = Temporary::file(files, path).map_err(&failed)?;
    let written = files.write(&writing.path, content).and_then(|()| files.rename(&writing.path, path));
    written.map_err(|source| {
        // The first error is the one to report.
        let _ = files.remove_file(&writing.path);
        failed(source)
    })
}

/// Writes into what is there and stays.
fn write_into(path: &Path, content: Content<'_>) -> io::Result<()> {
    let mut writer = BufWriter::new(File::options().write(true).open(path)?);
    content(&mut writer)?;
    writer.flush()
}

/// Writes a value as a JSON document, as [`replace_file`] does.
///
/// # Errors
/// When it can't be written, and when the value is none that JSON has.
pub fn replace_json(files: &dyn Files, path: &Path, value: &impl Serialize) -> Result<(), WriteError> {
    let json = json(value).map_err(WriteError::at(path))?;
    replace_file(files, path, &mut |writer| writer.write_all(&json))
}

/// A value as a JSON document with a line end.
///
/// # Errors
/// When the value is none that JSON has.
pub fn json(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut json = serde_json::to_vec_pretty(value)?;
    json.push(b'\n');
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Disk;

    #[test]
    fn what_fails_leaves_what_was_there() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("table.csv");
        replace_file(&Disk, &path, &mut |writer| writer.write_all(b"old")).unwrap();
        let error = replace_file(&Disk, &path, &mut |writer| {
            writer.write_all(b"ne")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        let message = error.unwrap_err().to_string();
        assert!(message.contains("table.csv") && message.contains("the disk is full"), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn writers_at_the_same_time_do_not_disturb_each_other() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("figures.json");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    (0..8).for_each(|_| replace_json(&Disk, path, &vec![writer; 100]).unwrap())
                });
            }
        });
        let found: Vec<usize> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert!(found.len() == 100 && found.iter().all(|value| *value == found[0]), "{found:?}");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_stay_what_they_are() {
        use std::os::unix::fs::symlink;
        let place = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| place.path().join(name));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        replace_file(&Disk, &link, &mut |writer| writer.write_all(b"new")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");

        // One end of a pipe, under the name that the system gives it.
        let (mut reader, writer) = io::pipe().unwrap();
        let name = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
        replace_file(&Disk, Path::new(&name), &mut |writer| writer.write_all(b"told")).unwrap();
        drop(writer);
        assert_eq!(io::read_to_string(&mut reader).unwrap(), "told");
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_the_users_mask_lets_them() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = tempfile::tempdir().unwrap();
        let mode = |name: &str| fs::metadata(place.path().join(name)).unwrap().permissions().mode();
        fs::write(place.path().join("plain"), "").unwrap();
        replace_file(&Disk, &place.path().join("replaced"), &mut |_| Ok(())).unwrap();
        assert_eq!(mode("replaced"), mode("plain"));
    }
}

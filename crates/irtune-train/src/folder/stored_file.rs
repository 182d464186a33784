//! A file of the user's that a folder remembers by its path and its checksum.

use super::error::RunFolderError;
use super::tensor_file::hexadecimal;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A file of the user's, found again by its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct StoredFile {
    /// Where it lies.
    pub file: PathBuf,
    /// SHA-256 of what it held when the run was begun; unknown where an earlier version began it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// As it stands in a folder: earlier versions wrote the path alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Path(PathBuf),
    File(WithChecksum),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithChecksum {
    file: PathBuf,
    sha256: Option<String>,
}

impl From<Written> for StoredFile {
    fn from(written: Written) -> StoredFile {
        match written {
            Written::Path(file) => StoredFile { file, sha256: None },
            Written::File(WithChecksum { file, sha256 }) => StoredFile { file, sha256 },
        }
    }
}

impl StoredFile {
    /// What a folder remembers of a file as it is now.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn of(path: &Path) -> io::Result<StoredFile> {
        Ok(StoredFile { file: std::path::absolute(path)?, sha256: Some(checksum(path)?) })
    }

    /// Confirms that it holds what it held when the run was begun, as far as that is known.
    ///
    /// # Errors
    /// When it holds something else, or can't be read.
    pub fn check(&self) -> Result<(), RunFolderError> {
        let Some(sha256) = &self.sha256 else { return Ok(()) };
        let now = checksum(&self.file).map_err(|source| RunFolderError::read(&self.file, source))?;
        match now == *sha256 {
            true => Ok(()),
            false => Err(RunFolderError::FileChanged { path: self.file.clone() }),
        }
    }

    /// Whether another file holds what this one held when the run was begun. Of a file that is gone nobody can say
    /// otherwise.
    pub fn is(&self, other: &Path) -> bool {
        let Ok(content) = checksum(other) else { return true };
        match &self.sha256 {
            Some(sha256) => content == *sha256,
            None => {
                std::path::absolute(other).is_ok_and(|other| other == self.file)
                    || checksum(&self.file).is_ok_and(|mine| mine == content)
            }
        }
    }
}

/// SHA-256 of a file, in hexadecimal.
fn checksum(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    io::copy(&mut File::open(path)?, &mut digest)?;
    Ok(hexadecimal(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_content_and_without_a_checksum_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, content) in [("a", "1"), ("b", "1"), ("c", "2")] {
            std::fs::write(path(name), content).unwrap();
        }
        let stored = StoredFile::of(&path("a")).unwrap();
        let earlier = StoredFile { sha256: None, ..stored.clone() };
        for known in [&stored, &earlier] {
            known.check().unwrap();
            let same = ["a", "b", "c", "gone"].map(|name| known.is(&path(name)));
            assert_eq!(same, [true, true, false, true], "{known:?}");
        }
        std::fs::write(path("a"), "3").unwrap();
        let error = stored.check().unwrap_err().to_string();
        assert!(error.contains("a: the file has changed since the run was begun; put it back"), "{error}");
        earlier.check().unwrap();
        assert_eq!(
            (stored.is(&path("a")), stored.is(&path("b")), earlier.is(&path("a"))),
            (false, true, true)
        );
        std::fs::remove_file(path("a")).unwrap();
        assert!(stored.is(&path("a")));
        assert!(matches!(stored.check(), Err(RunFolderError::Read { .. })));
    }

    #[test]
    fn earlier_versions_wrote_the_path_alone() {
        let read = |json: &str| serde_json::from_str::<StoredFile>(json).unwrap();
        assert_eq!(read(r#""/d/a.csv""#), StoredFile { file: "/d/a.csv".into(), sha256: None });
        let json = r#"{"file":"/d/a.csv","sha256":"00"}"#;
        let stored = read(json);
        assert_eq!(stored.sha256.as_deref(), Some("00"));
        assert_eq!(serde_json::to_string(&stored).unwrap(), json);
    }
}

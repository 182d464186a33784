//! Where a run's base and data lie: `sources.json`, and the rows that a program gave.

use super::error::RunFolderError;
use super::stored_file::StoredFile;
use super::tensor_file::hexadecimal;
use crate::data_split::DataSplit;
use irtune_data::{Columns, CorpusSource, Row};
use irtune_files::{Files, WriteError};
use irtune_model::BaseSource;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Where base and data lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// The base model, and how to tell it from another.
    pub base: BaseSource,
    /// What others find the base by: a hub name or a path.
    pub base_name: String,
    /// Training pairs.
    pub train: StoredSource,
    /// Validation pairs, when they are not taken from the training pairs.
    pub validation: Option<StoredSource>,
    /// Test pairs.
    pub test: Option<StoredSource>,
    /// How the files' columns are read.
    pub columns: Columns,
}

impl Sources {
    /// The paths of the base and of the user's files.
    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let splits = [Some(&self.train), self.validation.as_ref(), self.test.as_ref()];
        let files = splits.into_iter().flatten().filter_map(|source| match source {
            StoredSource::File(stored) => Some(stored.file.clone()),
            StoredSource::Rows(_) | StoredSource::Content(_) => None,
        });
        files.chain([self.base.path.clone()])
    }
}

/// Where the data of a linear run lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairSources {
    /// Training pairs.
    pub train: StoredSource,
    /// Validation pairs, when they are not taken from the training pairs.
    pub validation: Option<StoredSource>,
    /// Test pairs.
    pub test: Option<StoredSource>,
    /// How the files' columns are read.
    pub columns: Columns,
}

/// Where the pairs of a split come from, as a folder remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a file, or rows or content that the folder keeps")]
pub enum StoredSource {
    /// A file of the user's, found again by its path.
    File(StoredFile),
    /// Rows that a program gave; the folder keeps them.
    Rows(StoredRows),
    /// The content of a file that came through a pipe; the folder keeps it.
    Content(StoredContent),
}

/// Rows that a folder keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredRows {
    /// Their file below the folder, of JSON lines.
    pub rows: PathBuf,
    /// What errors call them.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// The content of a file, which a folder keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredContent {
    /// Its file below the folder.
    pub content: PathBuf,
    /// What errors call it; its extension counts as a file's does.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

impl StoredSource {
    /// What a folder remembers of a source of pairs; a file by its absolute path and what it holds.
    ///
    /// # Errors
    /// When a file can't be read.
    pub fn of(source: &CorpusSource, split: DataSplit) -> io::Result<StoredSource> {
        Ok(match source {
            CorpusSource::File(path) => StoredSource::File(StoredFile::of(path)?),
            CorpusSource::Rows { name, rows } => StoredSource::Rows(StoredRows {
                rows: rows_path(split),
                name: name.to_string(),
                sha256: hexadecimal(&Sha256::digest(lines(rows)?)),
            }),
            CorpusSource::Content { name, bytes } => StoredSource::Content(StoredContent {
                content: content_path(split),
                name: name.to_string(),
                sha256: hexadecimal(&Sha256::digest(bytes)),
            }),
        })
    }

    /// Where the pairs lie: the user's file, or the one below `folder`.
    pub fn path(&self, folder: &Path) -> PathBuf {
        match self {
            StoredSource::File(stored) => stored.file.clone(),
            StoredSource::Rows(stored) => folder.join(&stored.rows),
            StoredSource::Content(stored) => folder.join(&stored.content),
        }
    }

    /// Confirms that a file of the user's holds what it held when the run was begun.
    ///
    /// # Errors
    /// When it holds something else, or can't be read.
    pub fn check(&self) -> Result<(), RunFolderError> {
        match self {
            StoredSource::File(stored) => stored.check(),
            // What a folder keeps is checked as it is loaded.
            StoredSource::Rows(_) | StoredSource::Content(_) => Ok(()),
        }
    }

    /// The source again; what the folder keeps is read from below it.
    ///
    /// # Errors
    /// When that can't be read, or is not what was kept.
    pub fn load(&self, folder: &Path) -> Result<CorpusSource, RunFolderError> {
        let stored = match self {
            StoredSource::File(stored) => return Ok(CorpusSource::File(stored.file.clone())),
            StoredSource::Content(StoredContent { content, name, sha256 }) => {
                let bytes = kept(&folder.join(content), sha256)?;
                return Ok(CorpusSource::Content { name: name.as_str().into(), bytes: bytes.into() });
            }
            StoredSource::Rows(stored) => stored,
        };
        let path = folder.join(&stored.rows);
        let bytes = kept(&path, &stored.sha256)?;
        let rows =
            bytes.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).map(serde_json::from_slice);
        let rows: Vec<Row> = rows.collect::<Result<_, _>>().map_err(|source| RunFolderError::Json {
            path,
            line: None,
            source,
        })?;
        Ok(CorpusSource::rows(&stored.name, rows))
    }
}

/// The bytes of a file that a folder keeps.
fn kept(path: &Path, sha256: &str) -> Result<Vec<u8>, RunFolderError> {
    let bytes = std::fs::read(path).map_err(|source| RunFolderError::read(path, source))?;
    match hexadecimal(&Sha256::digest(&bytes)) == sha256 {
        true => Ok(bytes),
        false => Err(RunFolderError::Rows { path: path.to_owned() }),
    }
}

/// Keeps what can't be read again, rows and the content of pipes, below a folder that has no final name yet.
pub(crate) fn keep(
    files: &dyn Files,
    folder: &Path,
    sources: &[(DataSplit, CorpusSource)],
) -> Result<(), RunFolderError> {
    for (split, source) in sources {
        let (path, bytes) = match source {
            CorpusSource::File(_) => continue,
            CorpusSource::Rows { rows, .. } => (rows_path(*split), lines(rows)),
            CorpusSource::Content { bytes, .. } => (content_path(*split), Ok(bytes.to_vec())),
        };
        let path = folder.join(path);
        let write = || {
            let bytes = bytes?;
            path.parent().map_or(Ok(()), |folder| files.create_directory(folder))?;
            files.write(&path, &mut |writer| writer.write_all(&bytes))
        };
        write().map_err(WriteError::at(&path))?;
    }
    Ok(())
}

fn content_path(split: DataSplit) -> PathBuf {
    Path::new("data").join(split.name())
}

fn rows_path(split: DataSplit) -> PathBuf {
    Path::new("data").join(format!("{}.jsonl", split.name()))
}

impl fmt::Display for StoredSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoredSource::File(stored) => write!(formatter, "{}", stored.file.display()),
            StoredSource::Rows(StoredRows { name, .. })
            | StoredSource::Content(StoredContent { name, .. }) => formatter.write_str(name),
        }
    }
}

fn lines(rows: &[Row]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut lines, row)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_files::Disk;

    #[test]
    fn files_are_remembered_by_path_and_rows_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "original,revised\n").unwrap();
        let file = CorpusSource::File(path.clone());
        let stored = StoredSource::of(&file, DataSplit::Train).unwrap();
        assert_eq!(stored.load(folder.path()).unwrap(), file);
        assert_eq!(stored.path(Path::new("elsewhere")), path);
        let json = serde_json::to_string(&stored).unwrap();
        assert_eq!(serde_json::from_str::<StoredSource>(&json).unwrap(), stored);
        assert!(StoredSource::of(&CorpusSource::from("/gone/a.csv"), DataSplit::Train).is_err());

        let rows = CorpusSource::rows("essays", [Row::new("a\n", "b"), Row::new("", "é")]);
        let stored = StoredSource::of(&rows, DataSplit::Test).unwrap();
        keep(&Disk, folder.path(), &[(DataSplit::Test, rows.clone())]).unwrap();
        assert_eq!(stored.path(folder.path()), folder.path().join("data/test.jsonl"));
        let json = serde_json::to_string(&stored).unwrap();
        assert!(json.starts_with(r#"{"rows":"data/test.jsonl","name":"essays","sha256":""#), "{json}");
        let read: StoredSource = serde_json::from_str(&json).unwrap();
        assert_eq!(read.load(folder.path()).unwrap(), rows);

        std::fs::write(read.path(folder.path()), "{\"original\":\"a\"}\n").unwrap();
        let error = read.load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("test.jsonl: these are not the rows that the run was begun with"), "{error}");

        let piped =
            CorpusSource::Content { name: "/dev/fd/63".into(), bytes: b"original,revised\na,b\n"[..].into() };
        let stored = StoredSource::of(&piped, DataSplit::Train).unwrap();
        keep(&Disk, folder.path(), &[(DataSplit::Train, piped.clone())]).unwrap();
        let read: StoredSource = serde_json::from_str(&serde_json::to_string(&stored).unwrap()).unwrap();
        assert_eq!(read.load(folder.path()).unwrap(), piped);
        assert_eq!(read.to_string(), "/dev/fd/63");
        let error = serde_json::from_str::<StoredSource>("[1]").unwrap_err().to_string();
        assert!(error.contains("expected a file, or rows or content"), "{error}");
    }
}

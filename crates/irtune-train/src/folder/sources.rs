//! Where a run's base and data lie: `sources.json`, and the rows that a program gave.

use super::error::RunFolderError;
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
use std::sync::Arc;

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
#[serde(untagged)]
pub enum StoredSource {
    /// A file of the user's, found again by its path.
    File(PathBuf),
    /// Rows that a program gave; the folder keeps them.
    Rows(StoredRows),
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

impl StoredSource {
    /// What a folder remembers of a source of pairs; a file by its absolute path.
    ///
    /// # Errors
    /// When a path can't be made absolute.
    pub fn of(source: &CorpusSource, split: DataSplit) -> io::Result<StoredSource> {
        Ok(match source {
            CorpusSource::File(path) => StoredSource::File(std::path::absolute(path)?),
            CorpusSource::Rows { name, rows } => StoredSource::Rows(StoredRows {
                rows: rows_path(split),
                name: name.to_string(),
                sha256: hexadecimal(&Sha256::digest(lines(rows)?)),
            }),
        })
    }

    /// Where the pairs lie: the user's file, or the one below `folder`.
    pub fn path(&self, folder: &Path) -> PathBuf {
        match self {
            StoredSource::File(path) => path.clone(),
            StoredSource::Rows(stored) => folder.join(&stored.rows),
        }
    }

    /// The source again; rows are read from below `folder`.
    ///
    /// # Errors
    /// When rows can't be read, or are not those that were kept.
    pub fn load(&self, folder: &Path) -> Result<CorpusSource, RunFolderError> {
        let stored = match self {
            StoredSource::File(path) => return Ok(CorpusSource::File(path.clone())),
            StoredSource::Rows(stored) => stored,
        };
        let path = folder.join(&stored.rows);
        let bytes = std::fs::read(&path).map_err(|source| RunFolderError::read(&path, source))?;
        if hexadecimal(&Sha256::digest(&bytes)) != stored.sha256 {
            return Err(RunFolderError::Rows { path });
        }
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

/// Keeps rows below a folder that has no final name yet.
pub(crate) fn keep_rows(
    files: &dyn Files,
    folder: &Path,
    rows: &[(DataSplit, Arc<[Row]>)],
) -> Result<(), RunFolderError> {
    for (split, rows) in rows {
        let path = folder.join(rows_path(*split));
        let write = || {
            let lines = lines(rows)?;
            path.parent().map_or(Ok(()), |folder| files.create_directory(folder))?;
            files.write(&path, &mut |writer| writer.write_all(&lines))
        };
        write().map_err(WriteError::at(&path))?;
    }
    Ok(())
}

fn rows_path(split: DataSplit) -> PathBuf {
    Path::new("data").join(format!("{}.jsonl", split.name()))
}

impl fmt::Display for StoredSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoredSource::File(path) => write!(formatter, "{}", path.display()),
            StoredSource::Rows(stored) => formatter.write_str(&stored.name),
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
        let file = StoredSource::of(&CorpusSource::from("/data/a.csv"), DataSplit::Train).unwrap();
        assert_eq!(serde_json::to_string(&file).unwrap(), r#""/data/a.csv""#);
        assert_eq!(file.load(folder.path()).unwrap(), CorpusSource::from("/data/a.csv"));

        let rows = CorpusSource::rows("essays", [Row::new("a\n", "b"), Row::new("", "é")]);
        let CorpusSource::Rows { rows: given, .. } = &rows else { unreachable!() };
        let stored = StoredSource::of(&rows, DataSplit::Test).unwrap();
        keep_rows(&Disk, folder.path(), &[(DataSplit::Test, given.clone())]).unwrap();
        assert_eq!(stored.path(folder.path()), folder.path().join("data/test.jsonl"));
        let json = serde_json::to_string(&stored).unwrap();
        assert!(json.starts_with(r#"{"rows":"data/test.jsonl","name":"essays","sha256":""#), "{json}");
        let read: StoredSource = serde_json::from_str(&json).unwrap();
        assert_eq!(read.load(folder.path()).unwrap(), rows);

        std::fs::write(read.path(folder.path()), "{\"original\":\"a\"}\n").unwrap();
        let error = read.load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("test.jsonl: these are not the rows that the run was begun with"), "{error}");
    }
}

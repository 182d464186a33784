//! Where a corpus comes from: a file, or rows that a program holds.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::DataError;
use crate::reader::columns::Columns;
use crate::reader::{Labels, Pairs};
use crate::row::Row;

/// Where pairs come from.
#[derive(Debug, Clone, PartialEq)]
pub enum CorpusSource {
    /// A file of JSON, CSV or TSV, an Excel workbook or a Parquet file.
    File(PathBuf),
    /// The content of such a file, where it can't be read again, as it came through a pipe.
    Content {
        /// What errors call it; its extension counts as a file's does.
        name: Arc<str>,
        /// Its bytes.
        bytes: Arc<[u8]>,
    },
    /// Rows in memory.
    Rows {
        /// What errors call them, such as `training rows`.
        name: Arc<str>,
        /// The rows.
        rows: Arc<[Row]>,
    },
}

impl CorpusSource {
    /// Rows in memory; `name` is what errors call them.
    pub fn rows(name: &str, rows: impl IntoIterator<Item = Row>) -> CorpusSource {
        CorpusSource::Rows { name: name.into(), rows: rows.into_iter().collect() }
    }

    /// The source in a form that can be read again and again: what is no regular file, such as a pipe, is read now.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn kept(&self) -> Result<CorpusSource, DataError> {
        let CorpusSource::File(path) = self else { return Ok(self.clone()) };
        let name: Arc<str> = path.display().to_string().into();
        if !is_pipe(path) {
            return Ok(self.clone());
        }
        let bytes = std::fs::read(path).map_err(|source| DataError::Open { file: name.clone(), source })?;
        Ok(CorpusSource::Content { name, bytes: bytes.into() })
    }

    /// The pairs, one by one.
    ///
    /// # Errors
    /// As [`Pairs::open`]; rows in memory always open.
    pub fn pairs(&self, columns: &Columns, labels: Labels) -> Result<Pairs, DataError> {
        match self {
            CorpusSource::File(path) => Pairs::open(path, columns, labels),
            CorpusSource::Content { name, bytes } => {
                Pairs::from_content(name, bytes.clone(), columns, labels)
            }
            CorpusSource::Rows { name, rows } => Ok(Pairs::from_rows(name, rows.clone(), columns, labels)),
        }
    }
}

/// Whether a path leads to something that can be read once, and so not before it is needed.
pub fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

impl From<PathBuf> for CorpusSource {
    fn from(path: PathBuf) -> CorpusSource {
        CorpusSource::File(path)
    }
}

impl From<&str> for CorpusSource {
    fn from(path: &str) -> CorpusSource {
        CorpusSource::File(path.into())
    }
}

/// The path, or what the rows are called.
impl fmt::Display for CorpusSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CorpusSource::File(path) => write!(f, "{}", path.display()),
            CorpusSource::Content { name, .. } | CorpusSource::Rows { name, .. } => f.write_str(name),
        }
    }
}

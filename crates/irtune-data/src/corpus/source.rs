//! Where a corpus comes from: a file, or rows that a program holds.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::DataError;
use crate::reader::columns::Columns;
use crate::reader::{Labels, Pairs};
use crate::row::Row;

/// Where pairs come from.
#[derive(Debug, Clone, PartialEq)]
pub enum CorpusSource {
    /// A file of JSON lines, a JSON array, CSV or TSV.
    File(PathBuf),
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

    /// The pairs, one by one.
    ///
    /// # Errors
    /// As [`Pairs::open`]; rows in memory always open.
    pub fn pairs(&self, columns: &Columns, labels: Labels) -> Result<Pairs, DataError> {
        match self {
            CorpusSource::File(path) => Pairs::open(path, columns, labels),
            CorpusSource::Rows { name, rows } => Ok(Pairs::from_rows(name, rows.clone(), columns, labels)),
        }
    }
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
            CorpusSource::Rows { name, .. } => f.write_str(name),
        }
    }
}

//! Revision pairs from JSON lines, JSON arrays, CSV, TSV and rows in memory, one at a time.

pub(crate) mod columns;
mod delimited;
mod given;
pub(crate) mod input;
mod json;
mod record;
mod record_pair;
mod told;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use crate::error::DataError;
use crate::pair::Pair;
use crate::row::Row;
use columns::{Columns, Layout};
use delimited::Delimited;
use given::GivenRows;
use input::Input;
use json::{JsonArray, JsonLines};
use record::Record;
use record_pair::{Recorded, check};

/// Whether rows need a label, and how many they can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// Training and evaluation: a row without label is an error, rows with a label to drop are dropped.
    Required,
    /// Prediction: every row gives a pair, whatever its label.
    Optional,
    /// Training and evaluation where a pair can have several labels, or none: a list of labels, one label, or an empty
    /// list. Labels to drop are left out of lists, and rows with no others are dropped.
    Several,
}

/// The pairs of a file or of rows in memory, read as they are asked for; memory doesn't grow with the file.
///
/// It ends after the first error. A source that gives no pair at all gives an error instead.
pub struct Pairs {
    name: Arc<str>,
    records: Records,
    columns: Columns,
    labels: Labels,
    layout: Option<Layout>,
    read: usize,
    dropped: usize,
    finished: bool,
}

enum Records {
    Lines(JsonLines),
    Array(JsonArray),
    Delimited(Delimited),
    Given(GivenRows),
}

impl Pairs {
    /// Opens a file; its extension tells the format, or its content where the extension doesn't.
    ///
    /// # Errors
    /// When the file can't be read, is empty, or its format or columns can't be told.
    pub fn open(path: &Path, columns: &Columns, labels: Labels) -> Result<Pairs, DataError> {
        let name: Arc<str> = path.display().to_string().into();
        let file = File::open(path).map_err(|source| DataError::Open { file: name.clone(), source })?;
        let extension =
            path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
        Pairs::start(name, Box::new(BufReader::new(file)), extension.as_deref(), columns, labels)
    }

    /// Reads from anything, such as the standard input; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Pairs::open`].
    pub fn from_reader(
        name: &str,
        reader: impl BufRead + Send + 'static,
        columns: &Columns,
        labels: Labels,
    ) -> Result<Pairs, DataError> {
        Pairs::start(name.into(), Box::new(reader), None, columns, labels)
    }

    /// Takes rows that a program holds; `name` is what errors call them. Of `columns` only the labels to drop count.
    ///
    /// A row's label, group and id lose the blanks around them, as those of files do.
    pub fn from_rows(name: &str, rows: Arc<[Row]>, columns: &Columns, labels: Labels) -> Pairs {
        let name: Arc<str> = name.into();
        let records = Records::Given(GivenRows::new(name.clone(), rows));
        Pairs::new(name, records, columns.clone(), labels)
    }

    fn new(name: Arc<str>, records: Records, columns: Columns, labels: Labels) -> Pairs {
        Pairs { name, records, columns, labels, layout: None, read: 0, dropped: 0, finished: false }
    }

    fn start(
        file: Arc<str>,
        reader: Box<dyn BufRead + Send>,
        extension: Option<&str>,
        columns: &Columns,
        labels: Labels,
    ) -> Result<Pairs, DataError> {
        let input = Input::new(file.clone(), reader)?;
        let first = input.first_content();
        let by_extension = matches!(extension, Some("jsonl" | "ndjson" | "json"));
        let records = match (extension, first) {
            (Some("csv"), _) => Records::Delimited(delimited(input, Some(','))?),
            (Some("tsv" | "tab"), _) => Records::Delimited(delimited(input, Some('\t'))?),
            (_, Some(b'[')) => Records::Array(JsonArray::new(input)),
            (_, first) if by_extension || first == Some(b'{') => Records::Lines(JsonLines::new(input)),
            _ => Records::Delimited(delimited(input, None)?),
        };
        let mut pairs = Pairs::new(file, records, columns.clone(), labels);
        if let Records::Delimited(reader) = &pairs.records {
            let header = reader.header();
            let has = |column: &str| header.iter().any(|name| name == column);
            // Only an object can leave a side out; a table has its columns or is another table.
            let layout = Layout { absent_is_empty: false, ..pairs.columns.layout(has) };
            check(&layout, labels, &pairs.name, reader.line, has, || header.to_vec())?;
            pairs.layout = Some(layout);
        }
        Ok(pairs)
    }

    /// What errors call the file or the rows.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Rows left out so far for their label.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    fn next_pair(&mut self) -> Result<Option<Pair>, DataError> {
        loop {
            let record = match &mut self.records {
                Records::Lines(reader) => reader.next_record()?,
                Records::Array(reader) => reader.next_record()?,
                Records::Delimited(reader) => reader.next_record()?,
                Records::Given(_) => None,
            };
            let pair = match (&mut self.records, record) {
                (Records::Given(rows), _) => rows.next(self.labels, &self.columns.drop_labels).transpose()?,
                (_, Some(record)) => Some(self.recorded(&record)?),
                (_, None) => None,
            };
            match pair {
                Some(Some(pair)) => {
                    self.read += 1;
                    return Ok(Some(pair));
                }
                Some(None) => self.dropped += 1,
                None if self.read > 0 => return Ok(None),
                None => {
                    return Err(DataError::NoRows { name: self.name.clone(), dropped: self.dropped });
                }
            }
        }
    }

    /// The record's pair; `None` when its label is to be dropped.
    fn recorded(&mut self, record: &Record) -> Result<Option<Pair>, DataError> {
        let layout = match self.layout.take() {
            Some(layout) => layout,
            None => {
                let has = |column: &str| record.has(column);
                let layout = self.columns.layout(has);
                check(&layout, self.labels, &self.name, record.line, has, || record.columns())?;
                layout
            }
        };
        let pair = Recorded { file: &self.name, record, layout: &layout }.pair(self.labels);
        self.layout = Some(layout);
        pair
    }
}

impl Iterator for Pairs {
    type Item = Result<Pair, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.finished {
            return None;
        }
        let next = self.next_pair().transpose();
        self.finished = !matches!(next, Some(Ok(_)));
        next
    }
}

/// Opens separated rows; a header without the extension's separator but with the other one has the other one.
fn delimited(mut input: Input, extension: Option<char>) -> Result<Delimited, DataError> {
    let header = input.peek_line()?;
    let delimiter = match (header.contains('\t'), header.contains(','), extension) {
        (true, false, _) => '\t',
        (false, true, _) => ',',
        (_, _, Some(delimiter)) => delimiter,
        (true, true, None) => '\t',
        (false, false, None) => return Err(DataError::UnknownFormat { file: input.file }),
    };
    Delimited::new(input, delimiter)
}

//! Revision pairs from JSON, CSV, TSV, Excel workbooks, Parquet files and rows in memory, one at a time.

pub(crate) mod columns;
mod content;
mod delimited;
mod document;
mod essay;
mod given;
pub(crate) mod input;
mod json;
mod labels;
mod lists;
mod object;
mod parquet;
mod record;
mod record_pair;
mod room;
mod separator;
mod tasks;
mod told;
mod workbook;

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor};
use std::path::Path;
use std::sync::Arc;

use self::parquet::ParquetRows;
use crate::error::DataError;
use crate::number::same_name;
use crate::pair::Pair;
use crate::place::Place;
use crate::row::Row;
use columns::{Columns, Layout};
use content::Content;
use delimited::Delimited;
use given::GivenRows;
use input::Input;
use json::{JsonArray, JsonObjects};
pub use labels::Labels;
use lists::ListsMet;
use record::{Header, Record, Values};
use record_pair::{Recorded, check};
use tasks::Annotators;
use told::{Said, Told, Untold};
use workbook::Workbook;

/// Bytes of a text, at most: a longer one is a document, whose words take seconds to align, and no part of a pair.
const MOST_BYTES: usize = 1 << 20;

/// The pairs of a file or of rows in memory, read as they are asked for; memory doesn't grow with the file.
///
/// It ends after the first error. A source that gives no pair at all gives an error instead.
pub struct Pairs {
    name: Arc<str>,
    records: Records,
    /// Records that came out of another, such as the edits of a document.
    waiting: VecDeque<Record>,
    columns: Columns,
    labels: Labels,
    layout: Option<Layout>,
    lists: ListsMet,
    annotators: Annotators,
    read: usize,
    left_out: LeftOut,
    finished: bool,
}

/// Rows that gave no pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Rows whose label is one of those to drop.
    pub dropped: usize,
    /// Rows without label, where these are left out.
    pub unlabelled: usize,
    /// The labels to drop that some row has, as they were asked for.
    pub met: BTreeSet<String>,
}

enum Records {
    Objects(JsonObjects),
    Array(JsonArray),
    Delimited(Delimited),
    Workbook(Workbook),
    Parquet(ParquetRows),
    /// All of them are waiting.
    Whole,
    Given(GivenRows),
}

impl Pairs {
    /// Opens a file; its content tells the format, and its extension where the content doesn't.
    ///
    /// # Errors
    /// When the file can't be read, is empty, or its format or columns can't be told.
    pub fn open(path: &Path, columns: &Columns, labels: Labels) -> Result<Pairs, DataError> {
        let name: Arc<str> = path.display().to_string().into();
        let file = File::open(path).map_err(|source| DataError::Open { file: name.clone(), source })?;
        Pairs::start(name, Box::new(BufReader::new(file)), extension(path).as_deref(), columns, labels)
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

    /// Reads the content of a file; the extension of `name`, which is what errors call it, tells what the content doesn't.
    ///
    /// # Errors
    /// As [`Pairs::open`].
    pub fn from_content(
        name: &Arc<str>,
        content: Arc<[u8]>,
        columns: &Columns,
        labels: Labels,
    ) -> Result<Pairs, DataError> {
        let extension = extension(Path::new(&**name));
        Pairs::start(name.clone(), Box::new(Cursor::new(content)), extension.as_deref(), columns, labels)
    }

    /// Takes rows that a program holds; `name` is what errors call them. Of `columns` only what says which rows are left out
    /// counts.
    ///
    /// A row's label and group lose the blanks around them, as those of files do.
    pub fn from_rows(name: &str, rows: Arc<[Row]>, columns: &Columns, labels: Labels) -> Pairs {
        let name: Arc<str> = name.into();
        let records = Records::Given(GivenRows::new(name.clone(), rows));
        Pairs::new(name, records, columns.clone(), labels)
    }

    fn new(name: Arc<str>, records: Records, columns: Columns, labels: Labels) -> Pairs {
        Pairs {
            name,
            records,
            waiting: VecDeque::new(),
            columns,
            labels,
            layout: None,
            lists: ListsMet::default(),
            annotators: Annotators::default(),
            read: 0,
            left_out: LeftOut::default(),
            finished: false,
        }
    }

    fn start(
        file: Arc<str>,
        reader: Box<dyn BufRead + Send>,
        extension: Option<&str>,
        columns: &Columns,
        labels: Labels,
    ) -> Result<Pairs, DataError> {
        let (content, reader) = content::content(&file, reader)?;
        let records = match content {
            Content::Workbook => Records::Workbook(Workbook::open(&file, reader, columns)?),
            Content::Parquet => Records::Parquet(ParquetRows::open(&file, reader)?),
            _ => text(Input::new(file.clone(), reader)?, extension, columns)?,
        };
        let mut pairs = Pairs::new(file, records, columns.clone(), labels);
        let table = match &mut pairs.records {
            Records::Objects(objects) => {
                if let Some(records) = unwrapped(objects, columns, &pairs.name)? {
                    pairs.records = Records::Whole;
                    pairs.waiting = records.into();
                }
                None
            }
            Records::Delimited(table) => Some(table.header()),
            Records::Workbook(table) => Some(table.header()),
            _ => None,
        };
        if let Some((header, place)) = table {
            pairs.layout = Some(pairs.table(&header, &place)?);
        }
        Ok(pairs)
    }

    /// The layout of a table's columns.
    fn table(&self, header: &Header, place: &Place) -> Result<Layout, DataError> {
        let has = |column: &str| header.has(column);
        // Only an object can leave a side out; a table has its columns or is another table.
        let layout = Layout { absent_is_empty: false, ..self.columns.layout(&has) };
        check(&layout, self.labels, &self.name, place, has, || header.names().to_vec())?;
        let repeated = layout.read(self.labels).find(|column| header.repeats(column)).map(str::to_owned);
        match repeated {
            Some(column) => Err(DataError::DuplicateColumn { place: place.clone(), column }),
            None => Ok(layout),
        }
    }

    /// What errors call the file or the rows.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Rows left out so far.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    fn next_pair(&mut self) -> Result<Option<Pair>, DataError> {
        loop {
            let pair = match &mut self.records {
                Records::Given(rows) => match rows.next() {
                    Some((row, place, said)) => self.given(row, place, said)?,
                    None => return self.end(),
                },
                _ => match self.next_record()? {
                    Some(record) => self.recorded(&record)?,
                    None => return self.end(),
                },
            };
            if let Some(pair) = pair {
                self.read += 1;
                return Ok(Some(pair));
            }
        }
    }

    /// The end, which is an error where no pair came before it.
    fn end(&self) -> Result<Option<Pair>, DataError> {
        if self.read > 0 {
            return Ok(None);
        }
        let LeftOut { dropped, unlabelled, .. } = self.left_out;
        Err(DataError::NoRows { name: self.name.clone(), dropped, unlabelled })
    }

    /// The next record; a document gives one for each of its edits.
    fn next_record(&mut self) -> Result<Option<Record>, DataError> {
        loop {
            if let Some(record) = self.waiting.pop_front() {
                return Ok(Some(record));
            }
            let piece = match &mut self.records {
                Records::Objects(reader) => reader.next_piece()?,
                Records::Array(reader) => reader.next_piece()?,
                Records::Delimited(reader) => return reader.next_record(),
                Records::Workbook(reader) => return Ok(reader.next_record()),
                Records::Parquet(_) | Records::Whole | Records::Given(_) => None,
            };
            let record = match (piece, &mut self.records) {
                (Some(piece), _) => {
                    let file = self.name.clone();
                    let values = Values::Object(piece.object(&file)?);
                    Some(Record { place: Place::Line { file, line: piece.line }, values })
                }
                (None, Records::Parquet(reader)) => reader.next_record()?,
                (None, _) => None,
            };
            let Some(record) = record else { return Ok(None) };
            match document::edits(&record)? {
                Some(edits) => self.waiting.extend(edits),
                None => {
                    return Ok(Some(tasks::row(
                        record,
                        &mut self.annotators,
                        self.labels,
                        self.columns.label.is_some(),
                    )?));
                }
            }
        }
    }

    /// The record's pair; `None` when the row is left out, of which nothing but the label is looked at then.
    fn recorded(&mut self, record: &Record) -> Result<Option<Pair>, DataError> {
        let layout = match self.layout.take() {
            Some(layout) => layout,
            None => {
                let has = |column: &str| record.has(column);
                let layout = self.columns.layout(&has);
                check(&layout, self.labels, &self.name, &record.place, has, || record.columns())?;
                layout
            }
        };
        let file = self.name.clone();
        let recorded = Recorded { file: &file, record, layout: &layout };
        let ignored = self.labels == Labels::Ignored;
        let said = if ignored { Said::default() } else { recorded.said()? };
        let column = || recorded.label_column().map(Some);
        if self.labels == Labels::Required
            && let Some((place, several)) = self.lists.add(&said, &record.place)
        {
            return Err(told::error(several, place, column()?, self.labels));
        }
        let pair = match self.kept(said, &record.place, &layout.drop_labels, column)? {
            None => None,
            Some(told) => {
                let (original, revised) = recorded.texts()?;
                let group = if ignored { None } else { recorded.group()? };
                let row = Row { original, revised, group, id: recorded.id()?, ..Row::default() };
                Some(pair(row, record.place.clone(), told)?)
            }
        };
        self.layout = Some(layout);
        Ok(pair)
    }

    /// The pair of a row in memory; `None` when the row is left out.
    fn given(&mut self, row: Row, place: Place, said: Said) -> Result<Option<Pair>, DataError> {
        let drop_labels = self.columns.drop_labels.clone();
        let told = self.kept(said, &place, &drop_labels, || Ok(None))?;
        told.map(|told| pair(row, place, told)).transpose()
    }

    /// What a row tells, `None` when it is left out; `column` is that of the label, where the row is a file's.
    fn kept(
        &mut self,
        said: Said,
        place: &Place,
        drop_labels: &[String],
        column: impl Fn() -> Result<Option<String>, DataError>,
    ) -> Result<Option<Told>, DataError> {
        let labels = self.labels;
        for drop in drop_labels {
            if !self.left_out.met.contains(drop) && said.labels().any(|label| same_name(label, drop)) {
                self.left_out.met.insert(drop.clone());
            }
        }
        match told::told(said, labels, drop_labels) {
            Ok(Told { label: None, votes: None, .. })
                if labels == Labels::Optional && self.columns.drop_unlabelled =>
            {
                self.left_out.unlabelled += 1;
                Ok(None)
            }
            Ok(told) => Ok(Some(told)),
            Err(Untold::Dropped) => {
                self.left_out.dropped += 1;
                Ok(None)
            }
            Err(Untold::Nothing) if self.columns.drop_unlabelled => {
                self.left_out.unlabelled += 1;
                Ok(None)
            }
            Err(untold) => Err(told::error(untold, place.clone(), column()?, labels)),
        }
    }
}

/// A pair of a row and what it tells.
///
/// # Errors
/// When both texts are empty, or one is too long.
fn pair(row: Row, place: Place, told: Told) -> Result<Pair, DataError> {
    let Row { original, revised, group, id, .. } = row;
    let Told { label, votes, labels } = told;
    if original.trim().is_empty() && revised.trim().is_empty() {
        return Err(DataError::BothSidesEmpty { place });
    }
    if let Some(bytes) = [&original, &revised].map(String::len).into_iter().find(|bytes| *bytes > MOST_BYTES)
    {
        return Err(DataError::TooLong { place, bytes, most: MOST_BYTES });
    }
    Ok(Pair { original, revised, label, votes, labels, group, id, place })
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

fn extension(path: &Path) -> Option<String> {
    path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase)
}

/// Records of a text file, by its extension and its first character.
fn text(mut input: Input, extension: Option<&str>, columns: &Columns) -> Result<Records, DataError> {
    let first = input.first_content();
    let by_extension = matches!(extension, Some("jsonl" | "ndjson" | "json"));
    let separator = match (extension, first) {
        (Some("csv"), _) => Some(','),
        (Some("tsv" | "tab"), _) => Some('\t'),
        (_, Some(b'[')) => return Ok(Records::Array(JsonArray::new(input))),
        (_, first) if by_extension || first == Some(b'{') => {
            return Ok(Records::Objects(JsonObjects::new(input)?));
        }
        _ => None,
    };
    let separator = separator::separator(&mut input, separator, columns)?;
    Ok(Records::Delimited(Delimited::new(input, separator)?))
}

/// The rows in a file's only object; `None` when the objects of the file are the rows.
fn unwrapped(
    objects: &mut JsonObjects,
    columns: &Columns,
    file: &Arc<str>,
) -> Result<Option<Vec<Record>>, DataError> {
    // What is wrong with the first object is told when it is that row's turn.
    let Some(Ok(first)) = objects.first().map(|first| first.object(file)) else { return Ok(None) };
    match json::may_hold_rows(&first, columns) && objects.is_last()? {
        true => json::unwrapped(&first, columns, file),
        false => Ok(None),
    }
}

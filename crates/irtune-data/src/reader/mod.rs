//! Revision pairs from JSON lines, JSON arrays, CSV and TSV, one row at a time.

mod delimited;
mod json;
mod row;
mod source;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;

use crate::columns::{Columns, Layout, Role};
use crate::error::{DataError, Quoted};
use crate::pair::Pair;
use delimited::Delimited;
use json::{JsonArray, JsonLines};
use row::{Cell, Row};
use source::Source;
pub(crate) use source::utf8;

/// Whether rows need a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// Training and evaluation: a row without label is an error, rows with a label to drop are dropped.
    Required,
    /// Prediction: every row gives a pair, whatever its label.
    Optional,
}

/// The pairs of a file, read as they are asked for; memory doesn't grow with the file.
///
/// It ends after the first error. A file that gives no pair at all gives an error instead.
pub struct Pairs {
    file: Arc<str>,
    rows: Rows,
    columns: Columns,
    labels: Labels,
    layout: Option<Layout>,
    read: usize,
    dropped: usize,
    finished: bool,
}

enum Rows {
    Lines(JsonLines),
    Array(JsonArray),
    Delimited(Delimited),
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

    fn start(
        file: Arc<str>,
        reader: Box<dyn BufRead + Send>,
        extension: Option<&str>,
        columns: &Columns,
        labels: Labels,
    ) -> Result<Pairs, DataError> {
        let source = Source::new(file.clone(), reader)?;
        let first = source.first_content();
        let by_extension = matches!(extension, Some("jsonl" | "ndjson" | "json"));
        let rows = match (extension, first) {
            (Some("csv"), _) => Rows::Delimited(delimited(source, Some(','))?),
            (Some("tsv" | "tab"), _) => Rows::Delimited(delimited(source, Some('\t'))?),
            (_, Some(b'[')) => Rows::Array(JsonArray::new(source)),
            (_, first) if by_extension || first == Some(b'{') => Rows::Lines(JsonLines::new(source)),
            _ => Rows::Delimited(delimited(source, None)?),
        };
        let columns = columns.clone();
        let mut pairs =
            Pairs { file, rows, columns, labels, layout: None, read: 0, dropped: 0, finished: false };
        if let Rows::Delimited(reader) = &pairs.rows {
            let header = reader.header();
            let has = |column: &str| header.iter().any(|name| name == column);
            // Only an object can leave a side out; a table has its columns or is another table.
            let layout = Layout { absent_is_empty: false, ..pairs.columns.layout(has) };
            check(&layout, labels, &pairs.file, reader.line, has, || header.to_vec())?;
            pairs.layout = Some(layout);
        }
        Ok(pairs)
    }

    /// The name that errors give the file.
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Rows left out so far for their label.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    fn next_pair(&mut self) -> Result<Option<Pair>, DataError> {
        loop {
            let row = match &mut self.rows {
                Rows::Lines(reader) => reader.next_row()?,
                Rows::Array(reader) => reader.next_row()?,
                Rows::Delimited(reader) => reader.next_row()?,
            };
            let Some(row) = row else {
                if self.read == 0 {
                    return Err(DataError::NoRows { file: self.file.clone(), dropped: self.dropped });
                }
                return Ok(None);
            };
            let layout = match self.layout.take() {
                Some(layout) => layout,
                None => {
                    let has = |column: &str| row.has(column);
                    let layout = self.columns.layout(has);
                    check(&layout, self.labels, &self.file, row.line, has, || row.columns())?;
                    layout
                }
            };
            let pair = self.pair(&row, &layout);
            self.layout = Some(layout);
            if let Some(pair) = pair? {
                self.read += 1;
                return Ok(Some(pair));
            }
            self.dropped += 1;
        }
    }

    /// The row's pair; `None` when its label is to be dropped.
    fn pair(&self, row: &Row, layout: &Layout) -> Result<Option<Pair>, DataError> {
        let label = self.name(row, &layout.label)?;
        if self.labels == Labels::Required {
            match &label {
                Some(label) if layout.drop_labels.contains(label) => return Ok(None),
                Some(_) => {}
                None => {
                    let column = layout.label.find(&self.file, |name| row.has(name), || row.columns())?;
                    return Err(match column {
                        Some(column) => DataError::MissingLabel {
                            file: self.file.clone(),
                            line: row.line,
                            column: column.to_owned(),
                        },
                        None => self.missing(row, &layout.label),
                    });
                }
            }
        }
        let original = self.side(row, &layout.original, layout.absent_is_empty)?;
        let revised = self.side(row, &layout.revised, layout.absent_is_empty)?;
        if original.trim().is_empty() && revised.trim().is_empty() {
            return Err(DataError::BothSidesEmpty { file: self.file.clone(), line: row.line });
        }
        let group = self.name(row, &layout.group)?;
        let id = self.name(row, &layout.id)?;
        Ok(Some(Pair { original, revised, label, group, id, file: self.file.clone(), line: row.line }))
    }

    /// A side's text, as it is in the file.
    fn side(&self, row: &Row, role: &Role, absent_is_empty: bool) -> Result<String, DataError> {
        let Some(column) = role.find(&self.file, |name| row.has(name), || row.columns())? else {
            return if absent_is_empty { Ok(String::new()) } else { Err(self.missing(row, role)) };
        };
        match row.get(column) {
            Cell::Text(text) => Ok(text.to_owned()),
            Cell::Null | Cell::Absent => Ok(String::new()),
            Cell::Number(_) => Err(self.wrong_type(row, column, "a text or null", "a number")),
            Cell::Other(found) => Err(self.wrong_type(row, column, "a text or null", found)),
        }
    }

    /// A label, document or row name, without blanks around it; numbers are names too.
    fn name(&self, row: &Row, role: &Role) -> Result<Option<String>, DataError> {
        let column = role.find(&self.file, |name| row.has(name), || row.columns())?;
        let Some(column) = column else { return Ok(None) };
        match row.get(column) {
            Cell::Text(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)),
            Cell::Number(number) => Ok(Some(number)),
            Cell::Null | Cell::Absent => Ok(None),
            Cell::Other(found) => Err(self.wrong_type(row, column, "a text, a number or null", found)),
        }
    }

    fn wrong_type(&self, row: &Row, column: &str, expected: &'static str, found: &'static str) -> DataError {
        let file = self.file.clone();
        DataError::WrongType { file, line: row.line, column: column.to_owned(), expected, found }
    }

    fn missing(&self, row: &Row, role: &Role) -> DataError {
        let found = Quoted(row.columns());
        let column = role.columns.first().cloned().unwrap_or_default();
        DataError::MissingColumn { file: self.file.clone(), line: row.line, column, role: role.name, found }
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
fn delimited(mut source: Source, extension: Option<char>) -> Result<Delimited, DataError> {
    let header = source.peek_line()?;
    let delimiter = match (header.contains('\t'), header.contains(','), extension) {
        (true, false, _) => '\t',
        (false, true, _) => ',',
        (_, _, Some(delimiter)) => delimiter,
        (true, true, None) => '\t',
        (false, false, None) => return Err(DataError::UnknownFormat { file: source.file }),
    };
    Delimited::new(source, delimiter)
}

/// Holds the columns of the header, or of the first object, against the layout.
fn check(
    layout: &Layout,
    labels: Labels,
    file: &Arc<str>,
    line: usize,
    has: impl Fn(&str) -> bool,
    found: impl Fn() -> Vec<String>,
) -> Result<(), DataError> {
    let one_side_found =
        layout.original.find(file, &has, &found)?.or(layout.revised.find(file, &has, &found)?).is_some();
    let sides_needed = !(layout.absent_is_empty && one_side_found);
    for (role, needed) in [
        (&layout.original, sides_needed),
        (&layout.revised, sides_needed),
        (&layout.label, labels == Labels::Required),
        (&layout.group, false),
        (&layout.id, false),
    ] {
        let present = role.find(file, &has, &found)?.is_some();
        if present || !(needed || role.given) {
            continue;
        }
        let (file, found) = (file.clone(), Quoted(found()));
        return Err(match role.columns.as_slice() {
            [column] => {
                DataError::MissingColumn { file, line, column: column.clone(), role: role.name, found }
            }
            _ => DataError::UndecidedColumns { file, role: role.name, candidates: Quoted(Vec::new()), found },
        });
    }
    Ok(())
}

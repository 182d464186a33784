//! Sheets of an Excel workbook.

use std::io::{BufRead, Cursor, Read};
use std::sync::Arc;

use calamine::{Data, Range, Reader, Xlsx};
use irtune_files::contained;

use super::columns::Columns;
use super::record::{Header, Record, Values};
use crate::error::{DataError, Quoted};
use crate::number::canonical;
use crate::place::Place;

/// The rows of one sheet.
pub(super) struct Workbook {
    file: Arc<str>,
    header: Arc<Header>,
    /// The row of the header, counted from 1 as spreadsheets do.
    line: usize,
    rows: std::vec::IntoIter<(usize, Vec<String>)>,
}

impl Workbook {
    /// Reads the sheet whose first row has columns for the texts, or the only one.
    ///
    /// # Errors
    /// When it can't be read, or several sheets could be meant.
    pub fn open(
        file: &Arc<str>,
        mut reader: Box<dyn BufRead + Send>,
        columns: &Columns,
    ) -> Result<Workbook, DataError> {
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|source| DataError::Read { file: file.clone(), line: 1, source })?;
        let wrong = |reason: String| DataError::Workbook { file: file.clone(), reason };
        let read = || {
            let mut workbook: Xlsx<Cursor<Vec<u8>>> =
                Xlsx::new(Cursor::new(bytes)).map_err(|error| wrong(error.to_string()))?;
            let mut sheets = Vec::new();
            for name in workbook.sheet_names() {
                let range = workbook.worksheet_range(&name).map_err(|error| wrong(error.to_string()))?;
                if !range.is_empty() {
                    sheets.push((name, Workbook::of(file, &range)));
                }
            }
            Ok(sheets)
        };
        let sheets =
            contained(read).unwrap_or_else(|panic| Err(wrong(format!("the file is damaged ({panic})"))))?;
        let fits = |sheet: &Workbook| columns.fit(|column| sheet.header.has(column));
        let fitting = sheets.iter().filter(|(_, sheet)| fits(sheet)).count();
        match (fitting, sheets.len()) {
            (_, 0) => Err(DataError::EmptyFile { file: file.clone() }),
            (0, 1) | (1, _) => {
                let chosen = sheets.into_iter().find(|(_, sheet)| fitting == 0 || fits(sheet));
                chosen.map(|(_, sheet)| sheet).ok_or_else(|| DataError::EmptyFile { file: file.clone() })
            }
            _ => {
                let sheets = Quoted(sheets.into_iter().map(|(name, _)| name).collect());
                Err(DataError::SeveralSheets { file: file.clone(), sheets })
            }
        }
    }

    fn of(file: &Arc<str>, range: &Range<Data>) -> Workbook {
        let first = range.start().map_or(0, |(row, _)| row as usize) + 1;
        let mut rows = range.rows().map(|cells| cells.iter().map(text).collect::<Vec<String>>());
        let header = Arc::new(Header::new(rows.next().unwrap_or_default()));
        let rows = (first + 1..).zip(rows).filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()));
        Workbook { file: file.clone(), header, line: first, rows: rows.collect::<Vec<_>>().into_iter() }
    }

    /// The columns, and where they are named.
    pub fn header(&self) -> (Arc<Header>, Place) {
        (self.header.clone(), Place::Line { file: self.file.clone(), line: self.line })
    }

    pub fn next_record(&mut self) -> Option<Record> {
        let (line, fields) = self.rows.next()?;
        let values = Values::Fields { header: self.header.clone(), fields };
        Some(Record { place: Place::Line { file: self.file.clone(), line }, values })
    }
}

/// A cell as text; spreadsheets keep whole numbers as fractions.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty | Data::Error(_) => String::new(),
        Data::Float(number) => {
            let written = number.to_string();
            canonical(&written).unwrap_or(written)
        }
        other => other.to_string(),
    }
}

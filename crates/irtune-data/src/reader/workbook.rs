//! Sheets of an Excel workbook.

use std::io::{BufRead, Cursor, Read};
use std::sync::Arc;

use calamine::{Data, ExcelDateTime, Range, Reader, Xlsx};

use super::columns::Columns;
use super::contained::contained;
use super::essay::{self, Sheet};
use super::record::{Header, Record, SheetCell, Values};
use crate::error::{DataError, Quoted};
use crate::number::canonical;
use crate::place::Place;

/// The rows of one sheet.
pub(super) struct Workbook {
    file: Arc<str>,
    header: Arc<Header>,
    /// The row of the header, counted from 1 as spreadsheets do.
    line: usize,
    rows: std::vec::IntoIter<(usize, Vec<SheetCell>)>,
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
                    // A sheet whose formulas can't be read may do without them.
                    let formulas = workbook.worksheet_formula(&name).unwrap_or_default();
                    sheets.push((name, Workbook::of(file, &range, &formulas)));
                }
            }
            Ok(sheets)
        };
        let sheets = contained(read, wrong)?;
        let rows: Vec<Vec<(usize, Vec<String>)>> =
            sheets.iter().map(|(_, sheet)| sheet.rows.as_slice().iter().map(texts).collect()).collect();
        let drafts: Vec<Sheet<'_>> = sheets
            .iter()
            .zip(&rows)
            .map(|((name, sheet), rows)| Sheet { name, header: sheet.header.names(), rows })
            .collect();
        if let Some(revisions) = essay::revisions(&drafts) {
            let header = Arc::new(Header::new(essay::COLUMNS));
            let cells =
                |(line, row): (usize, Vec<String>)| (line, row.into_iter().map(SheetCell::Text).collect());
            let rows = revisions.into_iter().map(cells).collect::<Vec<_>>().into_iter();
            return Ok(Workbook { file: file.clone(), header, line: 1, rows });
        }
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

    fn of(file: &Arc<str>, range: &Range<Data>, formulas: &Range<String>) -> Workbook {
        let (top, left) = range.start().unwrap_or_default();
        let first = top as usize + 1;
        let has_formula = |row: u32, column: u32| {
            formulas.get_value((row, column)).is_some_and(|formula| !formula.is_empty())
        };
        let mut rows = (top..).zip(range.rows());
        let header = rows.next().map(|(_, cells)| cells.iter().map(text).collect::<Vec<String>>());
        let header = Arc::new(Header::new(header.unwrap_or_default()));
        let rows = rows.filter(|(_, cells)| cells.iter().any(|cell| !text(cell).is_empty()));
        let read = |(row, cells): (u32, &[Data])| {
            let cell = |(column, cell): (u32, &Data)| match cell {
                Data::Error(error) => SheetCell::Error(error.to_string()),
                Data::Empty if has_formula(row, column) => SheetCell::Formula,
                cell => SheetCell::Text(text(cell)),
            };
            (row as usize + 1, (left..).zip(cells).map(cell).collect())
        };
        let rows = rows.map(read);
        Workbook { file: file.clone(), header, line: first, rows: rows.collect::<Vec<_>>().into_iter() }
    }

    /// The columns, and where they are named.
    pub fn header(&self) -> (Arc<Header>, Place) {
        (self.header.clone(), Place::Line { file: self.file.clone(), line: self.line })
    }

    pub fn next_record(&mut self) -> Option<Record> {
        let (line, cells) = self.rows.next()?;
        let values = Values::Sheet { header: self.header.clone(), cells };
        Some(Record { place: Place::Line { file: self.file.clone(), line }, values })
    }
}

/// A row's texts; a cell without a value is empty.
fn texts((line, cells): &(usize, Vec<SheetCell>)) -> (usize, Vec<String>) {
    let text = |cell: &SheetCell| match cell {
        SheetCell::Text(text) => text.clone(),
        SheetCell::Error(_) | SheetCell::Formula => String::new(),
    };
    (*line, cells.iter().map(text).collect())
}

/// A cell as text; spreadsheets keep whole numbers as fractions, and dates as days.
fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::DateTime(moment) if moment.is_datetime() => date(moment),
        Data::Float(number) => {
            let written = number.to_string();
            canonical(&written).unwrap_or(written)
        }
        other => other.to_string(),
    }
}

/// A date, a time of day, or both, as ISO 8601 has them.
fn date(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let (date, time) =
        (format!("{year:04}-{month:02}-{day:02}"), format!("{hour:02}:{minute:02}:{second:02}"));
    match moment.as_f64() {
        days if days < 1.0 => time,
        days if days.fract() == 0.0 => date,
        _ => format!("{date}T{time}"),
    }
}

//! Sheets of an Excel workbook.

use std::collections::HashSet;
use std::io::{self, BufRead, Cursor, Read};
use std::sync::Arc;

use calamine::{Cell, Data, DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};
use irtune_files::contained;
use zip::ZipArchive;

use super::columns::Columns;
use super::essay::{self, Sheet};
use super::record::{Header, Record, SheetCell, Values};
use super::room::{LIMIT, Room};
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
    /// When it can't be read, is too large once unpacked, or several sheets could be meant.
    pub fn open(
        file: &Arc<str>,
        reader: Box<dyn BufRead + Send>,
        columns: &Columns,
    ) -> Result<Workbook, DataError> {
        Workbook::open_within(file, reader, columns, LIMIT)
    }

    fn open_within(
        file: &Arc<str>,
        mut reader: Box<dyn BufRead + Send>,
        columns: &Columns,
        limit: u64,
    ) -> Result<Workbook, DataError> {
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|source| DataError::Read { file: file.clone(), line: 1, source })?;
        let wrong = |reason: String| DataError::Workbook { file: file.clone(), reason };
        let read = || {
            check_unpacked(&bytes, &mut Room::new(file, limit)).map_err(|error| error.of(file))?;
            let mut workbook: Xlsx<Cursor<Vec<u8>>> =
                Xlsx::new(Cursor::new(bytes)).map_err(|error| wrong(error.to_string()))?;
            // Every cell can hold the same long text, which the file has once.
            let mut room = Room::new(file, limit);
            let mut sheets = Vec::new();
            for name in workbook.sheet_names() {
                let formulas = formulas(&mut workbook, &name, &mut room).map_err(|error| error.of(file))?;
                let cells = match workbook.worksheet_cells_reader(&name) {
                    Ok(mut cells) => collect(|| cells.next_cell(), &formulas, &mut room),
                    Err(XlsxError::NotAWorksheet(_)) => continue,
                    Err(error) => Err(Unread::Library(error.to_string())),
                };
                let cells = cells.map_err(|error| error.of(file))?;
                if !cells.is_empty() {
                    sheets.push((name, Workbook::of(file, cells, &mut room)?));
                }
            }
            Ok(sheets)
        };
        let sheets =
            contained(read).unwrap_or_else(|panic| Err(wrong(format!("the file is damaged ({panic})"))))?;
        let rows: Vec<Vec<(usize, Vec<String>)>> = sheets
            .iter()
            .map(|(_, sheet)| {
                sheet.rows.as_slice().iter().map(|(line, cells)| (*line, texts(cells))).collect()
            })
            .collect();
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

    /// The rows of a sheet's cells, of which there are some. A sheet can have cells in its first and in its last place, so
    /// only as much of a row is kept as has a name or a text.
    fn of(file: &Arc<str>, mut cells: Vec<PlacedCell>, room: &mut Room) -> Result<Workbook, DataError> {
        cells.sort_by_key(|cell| (cell.row, cell.column));
        let left = cells.iter().map(|cell| cell.column).min().unwrap_or(0);
        let first = cells.first().map_or(0, |cell| cell.row);
        let mut header: Option<Arc<Header>> = None;
        let mut rows = Vec::new();
        for row in cells.chunk_by(|one, other| one.row == other.row) {
            let named = header.as_ref().map_or(0, |header| header.names().len());
            let width =
                row.iter().map(|cell| (cell.column - left) as usize + 1).max().unwrap_or(0).max(named);
            room.take((width * size_of::<SheetCell>()) as u64)?;
            let mut cells = vec![SheetCell::Text(String::new()); width];
            for cell in row {
                cells[(cell.column - left) as usize].clone_from(&cell.cell);
            }
            match header {
                None => header = Some(Arc::new(Header::new(texts(&cells)))),
                Some(_) if cells.iter().all(SheetCell::is_empty) => {}
                Some(_) => rows.push((row[0].row as usize + 1, cells)),
            }
        }
        let header = header.unwrap_or_default();
        Ok(Workbook { file: file.clone(), header, line: first as usize + 1, rows: rows.into_iter() })
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

/// A cell that holds something, with its place counted from 0.
struct PlacedCell {
    row: u32,
    column: u32,
    cell: SheetCell,
}

/// Why a workbook isn't read.
enum Unread {
    /// It is damaged.
    Library(String),
    /// It is too large.
    Large(DataError),
}

impl Unread {
    fn of(self, file: &Arc<str>) -> DataError {
        match self {
            Unread::Library(reason) => DataError::Workbook { file: file.clone(), reason },
            Unread::Large(error) => error,
        }
    }
}

/// Unpacks all parts once and keeps nothing: what a file says of its parts' sizes may be wrong.
fn check_unpacked(bytes: &[u8], room: &mut Room) -> Result<(), Unread> {
    let library = |error: &dyn std::fmt::Display| Unread::Library(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| library(&error))?;
    for part in 0..archive.len() {
        // What can't be unpacked may be a part that nobody reads; the reader says it where it matters.
        let Ok(part) = archive.by_index(part) else { continue };
        let mut part = part.take(room.left() + 1);
        let mut head = [0; 1024];
        let filled = fill(&mut part, &mut head);
        let rest = io::copy(&mut part, &mut io::sink()).unwrap_or(0);
        let unpacked = filled as u64 + rest;
        room.take(unpacked).map_err(Unread::Large)?;
        // The reader makes room for as many texts as the part says that it has.
        if strings(&head[..filled]).is_some_and(|strings| strings > unpacked) {
            return Err(Unread::Library("it names more texts than it holds".to_owned()));
        }
    }
    Ok(())
}

/// Fills an array from its beginning as far as there is something; how far that is.
fn fill(reader: &mut impl Read, into: &mut [u8]) -> usize {
    let mut filled = 0;
    while let Ok(read @ 1..) = reader.read(&mut into[filled..]) {
        filled += read;
    }
    filled
}

/// How many shared texts a part says that it has.
fn strings(head: &[u8]) -> Option<u64> {
    let head = String::from_utf8_lossy(head);
    let (_, count) = head.split_once("uniqueCount=")?;
    let digits = count.get(1..)?.split(|character: char| !character.is_ascii_digit()).next()?;
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// The places of a sheet's formulas.
fn formulas(
    workbook: &mut Xlsx<Cursor<Vec<u8>>>,
    sheet: &str,
    room: &mut Room,
) -> Result<HashSet<(u32, u32)>, Unread> {
    let mut places = HashSet::new();
    // What can't be read is said of the sheet's values.
    let Ok(mut reader) = workbook.worksheet_cells_reader(sheet) else { return Ok(places) };
    while let Ok(Some(cell)) = reader.next_formula() {
        if !cell.get_value().is_empty() {
            room.take((size_of::<(u32, u32)>() + cell.get_value().len()) as u64).map_err(Unread::Large)?;
            places.insert(cell.get_position());
        }
    }
    Ok(places)
}

/// All cells of a sheet that hold something.
fn collect<'a>(
    mut next: impl FnMut() -> Result<Option<Cell<DataRef<'a>>>, XlsxError>,
    formulas: &HashSet<(u32, u32)>,
    room: &mut Room,
) -> Result<Vec<PlacedCell>, Unread> {
    let mut cells = Vec::new();
    while let Some(cell) = next().map_err(|error| Unread::Library(error.to_string()))? {
        let (row, column) = cell.get_position();
        let own = match cell.get_value() {
            DataRef::Empty if formulas.contains(&(row, column)) => SheetCell::Formula,
            DataRef::Empty => continue,
            DataRef::Error(error) => SheetCell::Error(error.to_string()),
            value => SheetCell::Text(text(&value.clone().into())),
        };
        room.take((size_of::<PlacedCell>() + own.text().len()) as u64).map_err(Unread::Large)?;
        cells.push(PlacedCell { row, column, cell: own });
    }
    Ok(cells)
}

/// A row's texts; a cell without a value is empty.
fn texts(cells: &[SheetCell]) -> Vec<String> {
    cells.iter().map(|cell| cell.text().to_owned()).collect()
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    /// A workbook of one sheet, with these cells and shared texts as XML.
    fn workbook(sheet: &str, strings: &str) -> Vec<u8> {
        let relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let package = "http://schemas.openxmlformats.org/package/2006/relationships";
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let parts = [
            (
                "_rels/.rels",
                format!(
                    r#"<Relationships xmlns="{package}"><Relationship Id="a" Type="{relation}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    r#"<Relationships xmlns="{package}"><Relationship Id="b" Type="{relation}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="c" Type="{relation}/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    r#"<workbook xmlns="{main}" xmlns:r="{relation}"><sheets><sheet name="One" sheetId="1" r:id="b"/></sheets></workbook>"#
                ),
            ),
            (
                "xl/worksheets/sheet1.xml",
                format!(r#"<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>"#),
            ),
            ("xl/sharedStrings.xml", format!(r#"<sst xmlns="{main}" {strings}</sst>"#)),
        ];
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn open(bytes: Vec<u8>, limit: u64) -> Result<Workbook, DataError> {
        let reader = Box::new(Cursor::new(bytes));
        Workbook::open_within(&"a.xlsx".into(), reader, &Columns::default(), limit)
    }

    const TEXTS: &str =
        r#"uniqueCount="3"><si><t>original</t></si><si><t>revised</t></si><si><t>a long text</t></si>"#;

    fn row(number: usize, cells: [(&str, usize); 2]) -> String {
        let cells = cells.map(|(column, text)| format!(r#"<c r="{column}{number}" t="s"><v>{text}</v></c>"#));
        format!(r#"<row r="{number}">{}</row>"#, cells.concat())
    }

    #[test]
    fn the_first_and_the_last_place_of_a_sheet_are_no_table_of_all_between() {
        let sheet = row(1, [("A", 0), ("B", 1)]) + &row(1_048_576, [("A", 2), ("XFD", 2)]);
        let mut read = open(workbook(&sheet, TEXTS), 1 << 20).unwrap();
        assert_eq!(read.header().0.names(), ["original", "revised"]);
        let record = read.next_record().unwrap();
        assert_eq!(record.place.number(), 1_048_576);
        assert_eq!(record.get("original").unwrap(), super::super::record::Cell::Field("a long text"));
        assert_eq!(record.get("revised").unwrap(), super::super::record::Cell::Field(""));
        assert!(read.next_record().is_none());
    }

    #[test]
    fn what_unpacks_to_more_than_the_limit_is_refused() {
        let header = row(1, [("A", 0), ("B", 1)]);
        // A part that nobody needs counts too, as it would be unpacked.
        let long = format!("{TEXTS}<!--{}-->", " ".repeat(1 << 20));
        let small = workbook(&header, &long);
        assert!(small.len() < 1 << 13, "{}", small.len());
        let error = open(small, 1 << 20).err().unwrap().to_string();
        assert!(error.starts_with("a.xlsx: unpacked it holds more than 1 MiB"), "{error}");
        // One long text in every cell.
        let rows: String = (2..202).map(|number| row(number, [("A", 2), ("B", 2)])).collect();
        let texts = format!(
            r#"uniqueCount="3"><si><t>original</t></si><si><t>revised</t></si><si><t>{}</t></si>"#,
            "x".repeat(10_000)
        );
        let error = open(workbook(&(header.clone() + &rows), &texts), 1 << 20).err().unwrap().to_string();
        assert!(error.contains("more than 1 MiB") && error.contains("save it as CSV"), "{error}");
        // A count of texts that would be made room for.
        let many = TEXTS.replace("\"3\"", "\"90000000000000\"");
        let error = open(workbook(&header, &many), 1 << 20).err().unwrap().to_string();
        assert!(error.contains("names more texts than it holds"), "{error}");
    }
}

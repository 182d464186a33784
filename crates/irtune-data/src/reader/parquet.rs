//! Rows of a Parquet file.

use std::io::{BufRead, Read};
use std::sync::Arc;

use bytes::Bytes;
use irtune_files::{Panicked, contained};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use super::object::Object;
use super::record::{Record, Values};
use super::room::{LIMIT, Room};
use crate::error::DataError;
use crate::place::Place;

/// The rows of a file, one after the other.
pub(super) struct ParquetRows {
    file: Arc<str>,
    rows: RowIter<'static>,
    taken: usize,
    /// A column can hold one long text once for all its rows.
    room: Room,
}

impl ParquetRows {
    /// Opens a file that is held in memory.
    ///
    /// # Errors
    /// When it is none, is damaged, is too large once unpacked, or is compressed in a way that isn't read.
    pub fn open(file: &Arc<str>, reader: Box<dyn BufRead + Send>) -> Result<ParquetRows, DataError> {
        ParquetRows::open_within(file, reader, LIMIT)
    }

    fn open_within(
        file: &Arc<str>,
        mut reader: Box<dyn BufRead + Send>,
        limit: u64,
    ) -> Result<ParquetRows, DataError> {
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|source| DataError::Read { file: file.clone(), line: 1, source })?;
        let open = || {
            let reader = SerializedFileReader::new(Bytes::from(bytes));
            let reader = reader.map_err(|error| wrong(file, &error.to_string()))?;
            let mut room = Room::new(file, limit);
            for group in reader.metadata().row_groups() {
                let sizes = group.columns().iter().map(ColumnChunkMetaData::uncompressed_size);
                sizes.map(i64::unsigned_abs).try_for_each(|size| room.take(size))?;
            }
            Ok(RowIter::from_file_into(Box::new(reader)))
        };
        let rows = contained(open).unwrap_or_else(|panic| Err(damaged(file, &panic)))?;
        Ok(ParquetRows { file: file.clone(), rows, taken: 0, room: Room::new(file, limit) })
    }

    pub fn next_record(&mut self) -> Result<Option<Record>, DataError> {
        let (file, rows) = (&self.file, &mut self.rows);
        let next = || rows.next().transpose().map_err(|error| wrong(file, &error.to_string()));
        let Some(row) = contained(next).unwrap_or_else(|panic| Err(damaged(file, &panic)))? else {
            return Ok(None);
        };
        self.taken += 1;
        let place = Place::Row { rows: self.file.clone(), row: self.taken };
        let members =
            row.get_column_iter().map(|(name, field)| Ok((name.clone(), to_raw_value(&value(field))?)));
        let members: Result<Vec<_>, serde_json::Error> = members.collect();
        let members = members.map_err(|source| DataError::Unreadable { place: place.clone(), source })?;
        members.iter().try_for_each(|(_, value)| self.room.take(value.get().len() as u64))?;
        Ok(Some(Record { place, values: Values::Object(Object(members)) }))
    }
}

fn wrong(file: &Arc<str>, reason: &str) -> DataError {
    DataError::Parquet { file: file.clone(), reason: reason.to_owned() }
}

fn damaged(file: &Arc<str>, panic: &Panicked) -> DataError {
    wrong(file, &format!("the file is damaged ({panic})"))
}

/// A field as JSON has it.
fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Byte(value) => (*value).into(),
        Field::Short(value) => (*value).into(),
        Field::Int(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::UByte(value) => (*value).into(),
        Field::UShort(value) => (*value).into(),
        Field::UInt(value) => (*value).into(),
        Field::ULong(value) => (*value).into(),
        // The shortest number that is this one, as other formats have it.
        Field::Float(value) => value.to_string().parse().map_or(Value::Null, |value: f64| value.into()),
        Field::Float16(value) => f64::from(*value).into(),
        Field::Decimal(_) => decimal(&plain(field)),
        Field::Double(value) => (*value).into(),
        Field::Str(text) => text.as_str().into(),
        // Bytes that are no text are none where a text is needed.
        Field::Bytes(bytes) => match bytes.as_utf8() {
            Ok(text) => text.into(),
            Err(_) => Value::Object(Map::from_iter([("bytes".to_owned(), bytes.data().into())])),
        },
        Field::Group(row) => object(row),
        Field::ListInternal(list) => Value::Array(list.elements().iter().map(value).collect()),
        Field::MapInternal(map) => {
            let entries = map.entries().iter();
            let entry = |(name, field): &(Field, Field)| (plain(name), value(field));
            Value::Object(entries.map(entry).collect())
        }
        other => plain(other).into(),
    }
}

fn object(row: &Row) -> Value {
    let members = row.get_column_iter().map(|(name, field)| (name.clone(), value(field)));
    Value::Object(members.collect::<Map<String, Value>>())
}

/// A name, a date or a decimal number, without quotes.
fn plain(field: &Field) -> String {
    match field {
        Field::Str(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A decimal number as a number, where that keeps its digits.
fn decimal(written: &str) -> Value {
    const EXACT_DIGITS: usize = 15;
    let digits = written.bytes().filter(u8::is_ascii_digit).count();
    match written.parse::<f64>() {
        Ok(number) if digits <= EXACT_DIGITS => number.into(),
        _ => written.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn what_unpacks_to_more_than_the_limit_is_refused() {
        let path = irtune_testing::golden::golden_folder().join("tables/gzip.parquet");
        let bytes = std::fs::read(path).unwrap();
        let open = |limit| {
            ParquetRows::open_within(&"a.parquet".into(), Box::new(Cursor::new(bytes.clone())), limit)
        };
        let error = open(100).err().unwrap().to_string();
        assert!(error.starts_with("a.parquet: unpacked it holds more than"), "{error}");
        let mut rows = open(LIMIT).unwrap();
        // Rows are counted by themselves: a column may hold a text once for all of them.
        rows.room = Room::new(&rows.file, 30);
        let error = rows.next_record().err().unwrap().to_string();
        assert!(error.starts_with("a.parquet: unpacked it holds more than"), "{error}");
    }
}

//! Rows of a Parquet file.

use std::io::{BufRead, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::file::reader::SerializedFileReader;
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};

use super::contained::contained;
use super::object::Object;
use super::record::{Record, Values};
use crate::error::DataError;
use crate::place::Place;

/// The rows of a file, one after the other.
pub(super) struct ParquetRows {
    file: Arc<str>,
    rows: RowIter<'static>,
    taken: usize,
}

impl ParquetRows {
    /// Opens a file that is held in memory.
    ///
    /// # Errors
    /// When it is none, is damaged, or is compressed in a way that isn't read.
    pub fn open(file: &Arc<str>, mut reader: Box<dyn BufRead + Send>) -> Result<ParquetRows, DataError> {
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes);
        read.map_err(|source| DataError::Read { file: file.clone(), line: 1, source })?;
        let open = || {
            let reader = SerializedFileReader::new(Bytes::from(bytes));
            let reader = reader.map_err(|error| wrong(file, &error.to_string()))?;
            Ok(RowIter::from_file_into(Box::new(reader)))
        };
        let rows = contained(open, |reason| wrong(file, &reason))?;
        Ok(ParquetRows { file: file.clone(), rows, taken: 0 })
    }

    pub fn next_record(&mut self) -> Result<Option<Record>, DataError> {
        let (file, rows) = (&self.file, &mut self.rows);
        let next = || rows.next().transpose().map_err(|error| wrong(file, &error.to_string()));
        let Some(row) = contained(next, |reason| wrong(file, &reason))? else { return Ok(None) };
        self.taken += 1;
        let place = Place::Row { rows: self.file.clone(), row: self.taken };
        let members =
            row.get_column_iter().map(|(name, field)| Ok((name.clone(), to_raw_value(&value(field))?)));
        let members = members.collect::<Result<_, serde_json::Error>>();
        let members = members.map_err(|source| DataError::Unreadable { place: place.clone(), source })?;
        Ok(Some(Record { place, values: Values::Object(Object(members)) }))
    }
}

fn wrong(file: &Arc<str>, reason: &str) -> DataError {
    DataError::Parquet { file: file.clone(), reason: reason.to_owned() }
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

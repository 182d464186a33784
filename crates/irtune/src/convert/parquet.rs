//! Pairs as a Parquet file.

use std::io::Write;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::table::{COLUMNS, fields};
use super::{ConvertError, ConvertedPairs};

/// Rows of a group.
const GROUP_ROWS: usize = 10_000;

/// A file of text columns, in which what is not known is null. It is made in memory.
pub(super) fn file(pairs: ConvertedPairs<'_>, out: &mut dyn Write) -> Result<usize, ConvertError> {
    let columns: String =
        COLUMNS.iter().map(|column| format!("OPTIONAL BYTE_ARRAY {column} (STRING);")).collect();
    let schema = Arc::new(parse_message_type(&format!("message pairs {{ {columns} }}"))?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::default())?;
    let mut written = 0;
    loop {
        let rows = (&mut *pairs).take(GROUP_ROWS).map(|pair| Ok(fields(&pair?)));
        let rows = rows.collect::<Result<Vec<_>, ConvertError>>()?;
        if rows.is_empty() {
            break;
        }
        written += rows.len();
        let mut group = writer.next_row_group()?;
        for column in 0..COLUMNS.len() {
            let own = || rows.iter().map(|row| row[column].as_deref());
            let values: Vec<ByteArray> = own().flatten().map(ByteArray::from).collect();
            let levels: Vec<i16> = own().map(|value| i16::from(value.is_some())).collect();
            if let Some(mut writer) = group.next_column()? {
                writer.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
                writer.close()?;
            }
        }
        group.close()?;
    }
    out.write_all(&writer.into_inner()?)?;
    Ok(written)
}

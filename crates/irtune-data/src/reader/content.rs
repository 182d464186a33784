//! What a file is, by its first bytes.

use std::io::{self, BufRead, Cursor, Read};
use std::sync::Arc;

use crate::error::DataError;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// JSON, CSV or TSV.
    Text,
    /// An Excel workbook.
    Workbook,
    /// A Parquet file.
    Parquet,
    /// Something that holds no rows: what it is, and the way out.
    Other(&'static str, &'static str),
}

const UNPACK: &str = "unpack it first";
const AS_PARQUET: &str = "write it as Parquet, JSON lines or CSV";

/// What files begin with.
const MAGICS: [(&[u8], Content); 13] = [
    (b"PK\x03\x04", Content::Workbook),
    (b"PAR1", Content::Parquet),
    (
        b"version https://git-lfs",
        Content::Other("a pointer of Git LFS, not the file itself", "fetch the file with `git lfs pull`"),
    ),
    (b"\x1f\x8b", Content::Other("compressed with gzip", UNPACK)),
    (b"\x28\xb5\x2f\xfd", Content::Other("compressed with zstd", UNPACK)),
    (b"\xfd7zXZ\0", Content::Other("compressed with xz", UNPACK)),
    (b"BZh91AY&SY", Content::Other("compressed with bzip2", UNPACK)),
    (
        b"\xd0\xcf\x11\xe0",
        Content::Other("an old Excel workbook (.xls)", "save it as .xlsx, or the sheet as CSV UTF-8"),
    ),
    (b"\xff\xfe", Content::Other("text in UTF-16", "save it as UTF-8")),
    (b"\xfe\xff", Content::Other("text in UTF-16", "save it as UTF-8")),
    (b"ARROW1", Content::Other("an Arrow file", AS_PARQUET)),
    (b"\xff\xff\xff\xff", Content::Other("an Arrow stream", AS_PARQUET)),
    (b"SQLite format 3\0", Content::Other("an SQLite database", AS_PARQUET)),
];

/// What a reader holds, and the reader from its beginning. No more is read than tells the kinds apart, so a pipe does not
/// wait.
///
/// # Errors
/// When reading fails, or the file is of a kind that holds no rows.
pub(super) fn content(
    file: &Arc<str>,
    mut reader: Box<dyn BufRead + Send>,
) -> Result<(Content, Box<dyn BufRead + Send>), DataError> {
    let mut head = Vec::new();
    while MAGICS.iter().any(|(magic, _)| magic.len() > head.len() && magic.starts_with(&head)) {
        let mut byte = [0];
        match reader.read(&mut byte) {
            Ok(0) => break,
            Ok(_) => head.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(DataError::Read { file: file.clone(), line: 1, source }),
        }
    }
    let found = MAGICS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, content)| *content);
    if let Some(Content::Other(what, way)) = found {
        return Err(DataError::NoRowsInside { file: file.clone(), what, way });
    }
    Ok((found.unwrap_or(Content::Text), Box::new(Cursor::new(head).chain(reader))))
}

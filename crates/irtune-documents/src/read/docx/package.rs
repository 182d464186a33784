//! The zip file around a Word document.

use crate::error::DocumentError;
use quick_xml::events::Event;
use quick_xml::{Reader, XmlVersion};
use std::io::{Cursor, Read as _};
use zip::ZipArchive;
use zip::result::ZipError;

/// Bytes that a part may have once unpacked: text that somebody wrote stays far below it.
const LIMIT: u64 = 256 << 20;

/// How old binary files and encrypted ones begin.
const COMPOUND: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

pub(super) struct Package<'a> {
    name: &'a str,
    archive: ZipArchive<Cursor<&'a [u8]>>,
}

impl<'a> Package<'a> {
    pub fn open(name: &'a str, bytes: &'a [u8]) -> Result<Self, DocumentError> {
        if bytes.starts_with(COMPOUND) {
            return Err(DocumentError::Compound { name: name.to_owned() });
        }
        let archive = ZipArchive::new(Cursor::new(bytes));
        let archive = archive.map_err(|source| DocumentError::Archive { name: name.to_owned(), source })?;
        Ok(Package { name, archive })
    }

    /// The parts that hold text: the body, which must be there, then footnotes and endnotes.
    pub fn text_parts(&mut self) -> Result<Vec<String>, DocumentError> {
        let body = match self.archive.index_for_name("_rels/.rels") {
            Some(_) => document_target(&self.part("_rels/.rels")?),
            None => None,
        };
        let body = body.unwrap_or_else(|| "word/document.xml".to_owned());
        let folder = body.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let notes = ["footnotes.xml", "endnotes.xml"].map(|part| format!("{folder}{part}"));
        let notes = notes.into_iter().filter(|part| self.archive.index_for_name(part).is_some());
        let notes: Vec<String> = notes.collect();
        Ok([vec![body], notes].concat())
    }

    pub fn part(&mut self, part: &str) -> Result<String, DocumentError> {
        let name = || self.name.to_owned();
        let file = self.archive.by_name(part).map_err(|source| match source {
            ZipError::FileNotFound => {
                let source = ZipError::InvalidArchive(format!("it holds no {part}").into());
                DocumentError::Archive { name: self.name.to_owned(), source }
            }
            source => DocumentError::Archive { name: self.name.to_owned(), source },
        })?;
        let mut bytes = Vec::new();
        // Not what the file says of its size: that may be wrong.
        let unpacked = file.take(LIMIT + 1).read_to_end(&mut bytes);
        unpacked.map_err(|source| DocumentError::Unpack { name: name(), part: part.to_owned(), source })?;
        if bytes.len() as u64 > LIMIT {
            return Err(DocumentError::Size { name: name(), part: part.to_owned(), limit: LIMIT });
        }
        let encoding = |at| DocumentError::Encoding { name: format!("{}, {part}", self.name), at };
        decoded(bytes).map_err(encoding)
    }
}

/// XML as text: UTF-8, or UTF-16 where a byte order mark says so; otherwise the place of the first byte that is neither.
fn decoded(bytes: Vec<u8>) -> Result<String, usize> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| 0)
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => {
            std::str::from_utf8(rest).map(str::to_owned).map_err(|error| 3 + error.valid_up_to())
        }
        _ => String::from_utf8(bytes).map_err(|error| error.utf8_error().valid_up_to()),
    }
}

/// Where the package's relations say that the document lies.
fn document_target(relations: &str) -> Option<String> {
    let mut reader = Reader::from_str(relations);
    loop {
        match reader.read_event().ok()? {
            Event::Empty(element) | Event::Start(element) => {
                let value = |key: &str| {
                    let attribute = element.try_get_attribute(key).ok().flatten()?;
                    Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
                };
                if value("Type").is_some_and(|kind| kind.ends_with("/officeDocument")) {
                    return Some(value("Target")?.trim_start_matches('/').to_owned());
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

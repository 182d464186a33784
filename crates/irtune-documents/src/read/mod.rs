//! Making documents of files.

pub mod docx;
mod latex;
mod markdown;
mod text;

use crate::document::Document;
use crate::error::DocumentError;
use crate::format::Format;

/// The document in the bytes of a draft; a Word document as it reads once its tracked changes are accepted.
///
/// # Errors
/// When the bytes are not of this format; `name` is what the error calls the draft.
pub fn read(name: &str, bytes: &[u8], format: Format) -> Result<Document, DocumentError> {
    match format {
        Format::Text => Ok(text::read(utf8(name, bytes)?)),
        Format::Markdown => Ok(markdown::read(utf8(name, bytes)?)),
        Format::Latex => Ok(latex::read(utf8(name, bytes)?)),
        Format::Docx => Ok(docx::read_tracked(name, bytes)?.accepted),
    }
}

/// Text without its byte order mark.
fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, DocumentError> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes)
        .map_err(|error| DocumentError::Encoding { name: name.to_owned(), at: error.valid_up_to() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_text_and_other_bytes_are_told() {
        let read = |bytes: &[u8]| read("draft.txt", bytes, Format::Text);
        assert_eq!(read(b"\xEF\xBB\xBFOne.").unwrap().text(), "One.");
        assert_eq!(
            read(b"One \xff").unwrap_err().to_string(),
            "draft.txt: byte 4 is not UTF-8; save the draft as UTF-8 text"
        );
    }
}

//! Objects one after the other: one a line, or each over several lines.

use super::super::object::Object;
use super::{Piece, scan};
use crate::error::DataError;
use crate::reader::input::{Input, utf8};

/// Reads objects that follow each other. A file whose first line is one object has one on every line, so that an error
/// names its line; in any other each object ends where its braces do.
pub(crate) struct JsonObjects {
    input: Input,
    whole_lines: bool,
    /// The first one, looked at before.
    first: Option<Piece>,
}

impl JsonObjects {
    /// Looks at the first object.
    ///
    /// # Errors
    /// When reading fails, or the first line isn't UTF-8.
    pub fn new(mut input: Input) -> Result<JsonObjects, DataError> {
        let line = input.peek_line()?;
        let whole_lines = match serde_json::from_str::<Object>(line.trim_end()) {
            Ok(_) => true,
            Err(error) => {
                let another = line.get(error.column().saturating_sub(1)..).unwrap_or_default();
                !(error.is_eof() || another.trim_start().starts_with('{') && error.column() > 1)
            }
        };
        let mut objects = JsonObjects { input, whole_lines, first: None };
        objects.first = objects.next_piece()?;
        Ok(objects)
    }

    /// The first object, if none has been taken.
    pub fn first(&self) -> Option<&Piece> {
        self.first.as_ref()
    }

    /// Whether nothing but blanks follows.
    ///
    /// # Errors
    /// When reading fails.
    pub fn is_last(&mut self) -> Result<bool, DataError> {
        self.input.at_end()
    }

    pub fn next_piece(&mut self) -> Result<Option<Piece>, DataError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.whole_lines {
            return self.line();
        }
        match scan::significant(&mut self.input)? {
            None => Ok(None),
            Some(b'{') => {
                let (line, column) = (self.input.line, self.input.column - 1);
                let (bytes, _) = scan::object(&mut self.input)?;
                Ok(Some(Piece { text: utf8(bytes, &self.input.file, line, column)?, line, column }))
            }
            Some(byte) => {
                let (line, column) = (self.input.line, self.input.column.saturating_sub(1));
                let mut rest = String::new();
                self.input.next_line(&mut rest)?;
                let first = if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER };
                Ok(Some(Piece { text: format!("{first}{rest}"), line, column }))
            }
        }
    }

    /// The next line that isn't blank.
    fn line(&mut self) -> Result<Option<Piece>, DataError> {
        let mut text = String::new();
        loop {
            let Some(line) = self.input.next_line(&mut text)? else { return Ok(None) };
            if !text.trim().is_empty() {
                return Ok(Some(Piece { text, line, column: 0 }));
            }
        }
    }
}

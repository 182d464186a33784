//! The objects of one array.

use super::{Piece, scan};
use crate::error::DataError;
use crate::reader::input::{Input, utf8};

/// Reads the objects of one array, one at a time, however the lines are broken.
pub(crate) struct JsonArray {
    input: Input,
    /// Rows read.
    rows: usize,
    opened: bool,
    closed: bool,
}

impl JsonArray {
    pub fn new(input: Input) -> JsonArray {
        JsonArray { input, rows: 0, opened: false, closed: false }
    }

    pub fn next_piece(&mut self) -> Result<Option<Piece>, DataError> {
        if self.closed {
            return Ok(None);
        }
        if !self.opened {
            self.expect(b"[", "\"[\"")?;
            self.opened = true;
        }
        if self.rows > 0 && self.expect(b",]", "\",\" or \"]\"")? == b']' {
            return self.close();
        }
        match scan::significant(&mut self.input)? {
            Some(b']') if self.rows == 0 => return self.close(),
            Some(b'{') => {}
            Some(byte) => return Err(self.no_object(byte)),
            None => return Err(self.unclosed()),
        }
        let (line, column) = (self.input.line, self.input.column - 1);
        let (bytes, closed) = scan::object(&mut self.input)?;
        if !closed {
            return Err(self.unclosed());
        }
        self.rows += 1;
        Ok(Some(Piece { text: utf8(bytes, &self.input.file, line, column)?, line, column }))
    }

    fn close(&mut self) -> Result<Option<Piece>, DataError> {
        self.closed = true;
        match scan::significant(&mut self.input)? {
            None => Ok(None),
            Some(byte) => Err(self.syntax(byte, "the end of the file")),
        }
    }

    fn expect(&mut self, allowed: &[u8], expected: &'static str) -> Result<u8, DataError> {
        match scan::significant(&mut self.input)? {
            None => Err(self.unclosed()),
            Some(byte) if allowed.contains(&byte) => Ok(byte),
            Some(byte) => Err(self.syntax(byte, expected)),
        }
    }

    fn unclosed(&self) -> DataError {
        DataError::UnclosedArray { file: self.input.file.clone(), line: self.input.line }
    }

    fn syntax(&self, byte: u8, expected: &'static str) -> DataError {
        let Input { file, line, column, .. } = &self.input;
        let found = if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER };
        DataError::ArraySyntax { file: file.clone(), line: *line, column: *column, found, expected }
    }

    fn no_object(&self, byte: u8) -> DataError {
        let found = match byte {
            b'"' => "a text",
            b'[' => "a list",
            b'-' | b'0'..=b'9' => "a number",
            b't' | b'f' => "true or false",
            b'n' => "null",
            _ => return self.syntax(byte, "a row"),
        };
        let Input { file, line, column, .. } = &self.input;
        DataError::NotAnObject { file: file.clone(), line: *line, column: *column, found }
    }
}

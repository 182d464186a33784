//! JSON rows: one object a line, or one array of objects.

use std::sync::Arc;

use serde_json::Value;

use super::input::{Input, behind, utf8};
use super::record::{Record, Values, kind};
use crate::error::DataError;

/// Reads one object from every line that isn't blank.
pub(crate) struct JsonLines {
    input: Input,
    text: String,
}

impl JsonLines {
    pub fn new(input: Input) -> JsonLines {
        JsonLines { input, text: String::new() }
    }

    pub fn next_record(&mut self) -> Result<Option<Record>, DataError> {
        loop {
            let Some(line) = self.input.next_line(&mut self.text)? else { return Ok(None) };
            if !self.text.trim().is_empty() {
                return parse(&self.text, &self.input.file, line, 0).map(Some);
            }
        }
    }
}

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

    pub fn next_record(&mut self) -> Result<Option<Record>, DataError> {
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
        let first = self.significant()?;
        match first {
            Some(b']') if self.rows == 0 => return self.close(),
            Some(b'{') => {}
            Some(byte) => return Err(self.no_object(byte)),
            None => return Err(self.unclosed()),
        }
        let (line, column) = (self.input.line, self.input.column);
        let text = self.object()?;
        let text = utf8(text, &self.input.file, line, column - 1)?;
        self.rows += 1;
        parse(&text, &self.input.file, line, column - 1).map(Some)
    }

    fn close(&mut self) -> Result<Option<Record>, DataError> {
        self.closed = true;
        match self.significant()? {
            None => Ok(None),
            Some(byte) => Err(self.syntax(byte, "the end of the file")),
        }
    }

    /// The bytes of an object whose opening brace has been read.
    fn object(&mut self) -> Result<Vec<u8>, DataError> {
        let mut bytes = vec![b'{'];
        let (mut depth, mut in_text, mut escaped) = (1, false, false);
        while depth > 0 {
            let Some(byte) = self.input.next_byte()? else { return Err(self.unclosed()) };
            bytes.push(byte);
            if in_text {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' => escaped = true,
                    b'"' => in_text = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => in_text = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
        }
        Ok(bytes)
    }

    /// The next byte that is no blank.
    fn significant(&mut self) -> Result<Option<u8>, DataError> {
        loop {
            match self.input.next_byte()? {
                Some(byte) if byte.is_ascii_whitespace() => {}
                other => return Ok(other),
            }
        }
    }

    fn expect(&mut self, allowed: &[u8], expected: &'static str) -> Result<u8, DataError> {
        match self.significant()? {
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

/// An object that starts on `line` behind `column` characters.
fn parse(text: &str, file: &Arc<str>, line: usize, column: usize) -> Result<Record, DataError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(Record { line, values: Values::Object(object) }),
        Ok(other) => {
            let column = column + text.chars().take_while(|character| character.is_whitespace()).count() + 1;
            Err(DataError::NotAnObject { file: file.clone(), line, column, found: kind(&other) })
        }
        Err(source) => {
            let (line, column) = behind(read_before(text, &source), line, column);
            let reason = source.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
            Err(DataError::Json { file: file.clone(), line, column, reason, source })
        }
    }
}

/// The part of `text` that the parser had accepted; the parser counts lines from 1 and columns in bytes.
fn read_before<'a>(text: &'a str, error: &serde_json::Error) -> &'a str {
    let above: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut end = (above + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

//! Bytes of a file with their place: lines, characters, a byte order mark skipped.

use std::io::BufRead;
use std::sync::Arc;

use crate::error::DataError;

/// A reader that knows the line it stands on and can hold back what was looked at.
pub(crate) struct Input {
    pub file: Arc<str>,
    inner: Box<dyn BufRead + Send>,
    /// Bytes taken from `inner` and not handed out yet; they lie on the current line.
    held: Vec<u8>,
    handed: usize,
    /// The current line, counted from 1.
    pub line: usize,
    /// Characters handed out on the current line by [`Input::next_byte`].
    pub column: usize,
    /// What ends a line of [`Input::next_line`].
    line_end: u8,
}

/// What text may begin with.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

impl Input {
    /// Starts before the first non-blank line, behind a byte order mark.
    ///
    /// # Errors
    /// When reading fails or there is nothing but blanks.
    pub fn new(file: Arc<str>, inner: Box<dyn BufRead + Send>) -> Result<Input, DataError> {
        let mut input =
            Input { file, inner, held: Vec::new(), handed: 0, line: 1, column: 0, line_end: b'\n' };
        while input.held.len() < 3 && input.held == BYTE_ORDER_MARK[..input.held.len()] {
            let Some(byte) = input.pull()? else { break };
            input.held.push(byte);
        }
        if input.held == BYTE_ORDER_MARK {
            input.held.clear();
        }
        // What was held for the mark's sake may already be content, or end a blank line.
        let looked_at = std::mem::take(&mut input.held);
        let mut looked_at = looked_at.into_iter();
        loop {
            let next = match looked_at.next() {
                Some(byte) => Some(byte),
                None => input.pull()?,
            };
            let Some(byte) = next else { return Err(DataError::EmptyFile { file: input.file }) };
            input.held.push(byte);
            if byte == b'\n' {
                input.held.clear();
                input.line += 1;
            } else if !byte.is_ascii_whitespace() {
                input.held.extend(looked_at);
                return Ok(input);
            }
        }
    }

    /// The first byte of content.
    pub fn first_content(&self) -> Option<u8> {
        self.held.iter().copied().find(|byte| !byte.is_ascii_whitespace())
    }

    fn pull(&mut self) -> Result<Option<u8>, DataError> {
        loop {
            match self.inner.fill_buf() {
                Ok(bytes) => {
                    let byte = bytes.first().copied();
                    self.inner.consume(usize::from(byte.is_some()));
                    return Ok(byte);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.failed(source)),
            }
        }
    }

    fn failed(&self, source: std::io::Error) -> DataError {
        DataError::Read { file: self.file.clone(), line: self.line, source }
    }

    /// The next byte, counted into `line` and `column`.
    ///
    /// # Errors
    /// When reading fails.
    pub fn next_byte(&mut self) -> Result<Option<u8>, DataError> {
        let byte = match self.held.get(self.handed) {
            Some(&byte) => {
                self.handed += 1;
                Some(byte)
            }
            None => self.pull()?,
        };
        match byte {
            Some(b'\n') => {
                self.line += 1;
                self.column = 0;
            }
            // Bytes that continue a character don't count.
            Some(byte) if byte & 0xC0 != 0x80 => self.column += 1,
            _ => {}
        }
        Ok(byte)
    }

    /// Lets lines end with another byte from here on.
    pub fn end_lines_with(&mut self, byte: u8) {
        self.line_end = byte;
    }

    /// Whether nothing but blanks is left.
    ///
    /// # Errors
    /// When reading fails.
    pub fn at_end(&mut self) -> Result<bool, DataError> {
        let mut at = self.handed;
        loop {
            if at == self.held.len() {
                let Some(byte) = self.pull()? else { return Ok(true) };
                self.held.push(byte);
            }
            if !self.held[at].is_ascii_whitespace() {
                return Ok(false);
            }
            at += 1;
        }
    }

    /// Fills `text` with the next line and its end, and gives its number; `None` at the end of the file.
    ///
    /// # Errors
    /// When reading fails or the line isn't UTF-8.
    pub fn next_line(&mut self, text: &mut String) -> Result<Option<usize>, DataError> {
        let mut bytes = std::mem::take(text).into_bytes();
        bytes.clear();
        let held = &self.held[self.handed..];
        if let Some(end) = held.iter().position(|&byte| byte == self.line_end) {
            bytes.extend_from_slice(&held[..=end]);
            self.handed += end + 1;
        } else {
            bytes.extend_from_slice(held);
            self.held.clear();
            self.handed = 0;
            self.inner.read_until(self.line_end, &mut bytes).map_err(|source| self.failed(source))?;
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let line = self.line;
        self.line += 1;
        *text = utf8(bytes, &self.file, line, 0)?;
        Ok(Some(line))
    }

    /// The line that [`Input::next_line`] will give next.
    ///
    /// # Errors
    /// As [`Input::next_line`].
    pub fn peek_line(&mut self) -> Result<String, DataError> {
        let mut text = String::new();
        if self.next_line(&mut text)?.is_some() {
            self.line -= 1;
            let rest = self.held.split_off(self.handed);
            self.held = text.clone().into_bytes();
            self.held.extend(rest);
            self.handed = 0;
        }
        Ok(text)
    }
}

/// Bytes that start on `line` behind `column` characters, as text.
///
/// # Errors
/// With the place of the first byte that isn't UTF-8.
pub(crate) fn utf8(bytes: Vec<u8>, file: &Arc<str>, line: usize, column: usize) -> Result<String, DataError> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        let (line, column) = behind(&before, line, column);
        DataError::InvalidUtf8 { file: file.clone(), line, column }
    })
}

/// Line and column (both from 1) right behind `text`, which starts on `line` behind `column` characters.
pub(crate) fn behind(text: &str, line: usize, column: usize) -> (usize, usize) {
    match text.rsplit_once('\n') {
        Some((above, last)) => (line + 1 + above.matches('\n').count(), last.chars().count() + 1),
        None => (line, column + text.chars().count() + 1),
    }
}

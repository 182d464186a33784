//! Rows of separated fields, which may be quoted.
//!
//! Written here rather than left to the `csv` crate, which accepts a quote that is never closed (the rest of the
//! file becomes one field) and text behind a closing quote. The tests hold it against that crate.

use std::sync::Arc;

use super::input::Input;
use super::record::{Header, Record, Values};
use crate::error::DataError;
use crate::place::Place;

pub(super) struct Delimited {
    input: Input,
    delimiter: char,
    header: Arc<Header>,
    /// The header's line.
    line: usize,
    text: String,
}

enum State {
    /// At the beginning of a field.
    Start,
    /// In a field without quotes; a quote in it is text.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote that closes the field, unless another quote follows.
    Closed,
}

/// How lines end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// With a line feed, after a carriage return or without one.
    LineFeed,
    /// With a carriage return alone.
    CarriageReturn,
}

impl LineEnd {
    /// By a text up to the first line feed: a carriage return in it, outside of quotes, ends the first line.
    pub fn of(text: &str) -> LineEnd {
        let mut quoted = false;
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b'\r' if !quoted && text.as_bytes().get(at + 1) != Some(&b'\n') => {
                    return LineEnd::CarriageReturn;
                }
                _ => {}
            }
        }
        LineEnd::LineFeed
    }
}

impl Delimited {
    /// Reads the header.
    pub fn new(input: Input, delimiter: char) -> Result<Delimited, DataError> {
        let mut reader = Delimited { input, delimiter, header: Arc::default(), line: 0, text: String::new() };
        let (line, names) = reader.record()?.unwrap_or_default();
        reader.line = line;
        reader.header = Arc::new(Header::new(names));
        Ok(reader)
    }

    /// The columns, and where they are named.
    pub fn header(&self) -> (Arc<Header>, Place) {
        (self.header.clone(), Place::Line { file: self.input.file.clone(), line: self.line })
    }

    pub fn next_record(&mut self) -> Result<Option<Record>, DataError> {
        let Some((line, fields)) = self.record()? else { return Ok(None) };
        let (expected, found) = (self.header.names().len(), fields.len());
        let file = self.input.file.clone();
        if expected != found {
            return Err(DataError::RaggedRow { file, line, expected, found });
        }
        let values = Values::Fields { header: self.header.clone(), fields };
        Ok(Some(Record { place: Place::Line { file, line }, values }))
    }

    /// The next record's first line and fields; a quoted field may span lines.
    fn record(&mut self) -> Result<Option<(usize, Vec<String>)>, DataError> {
        let mut fields = Vec::new();
        let mut field = String::new();
        let mut state = State::Start;
        let (mut first_line, mut opened) = (None, (0, 0));
        while let Some(line) = self.input.next_line(&mut self.text)? {
            let body = self.text.trim_end_matches('\n');
            let body = body.strip_suffix('\r').unwrap_or(body);
            if first_line.is_none() && body.trim_matches(' ').is_empty() {
                continue;
            }
            let first = *first_line.get_or_insert(line);
            for (column, character) in (1..).zip(body.chars()) {
                state = match (state, character) {
                    (State::Start, '"') => {
                        opened = (line, column);
                        State::Quoted
                    }
                    (State::Quoted, '"') => State::Closed,
                    (State::Closed, '"') => {
                        field.push('"');
                        State::Quoted
                    }
                    (State::Start | State::Plain | State::Closed, character)
                        if character == self.delimiter =>
                    {
                        fields.push(std::mem::take(&mut field));
                        State::Start
                    }
                    (State::Closed, _) => {
                        let file = self.input.file.clone();
                        return Err(DataError::TextAfterQuote { file, line, column });
                    }
                    (State::Quoted, character) => {
                        field.push(character);
                        State::Quoted
                    }
                    (State::Start | State::Plain, character) => {
                        field.push(character);
                        State::Plain
                    }
                };
            }
            if matches!(state, State::Quoted) {
                field.push_str(&self.text[body.len()..]);
            } else {
                fields.push(field);
                return Ok(Some((first, fields)));
            }
        }
        if first_line.is_some() {
            let (line, column) = opened;
            return Err(DataError::UnclosedQuote { file: self.input.file.clone(), line, column });
        }
        Ok(None)
    }
}

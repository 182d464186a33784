//! JSON rows: objects one after the other, one array of objects, or an object that holds one.

mod array;
mod nan;
mod objects;
mod scan;
mod wrapped;

use std::sync::Arc;

use serde::de::IgnoredAny;

use super::input::behind;
use super::object::Object;
use crate::error::DataError;

pub(super) use array::JsonArray;
pub(super) use objects::JsonObjects;
pub(super) use wrapped::{may_hold_rows, unwrapped};

/// Text of a row, with the place of its beginning.
#[derive(Debug)]
pub(super) struct Piece {
    pub text: String,
    /// The line it starts on.
    pub line: usize,
    /// Characters before it on that line.
    pub column: usize,
}

impl Piece {
    /// The object that the text is.
    ///
    /// # Errors
    /// When it is something else, or no JSON.
    pub fn object(&self, file: &Arc<str>) -> Result<Object, DataError> {
        let text = self.text.trim_end();
        let (line, column) = (self.line, self.column);
        let start = text.trim_start();
        let blanks = text.len() - start.len();
        let wrong = |source: serde_json::Error| {
            let (line, column) = behind(read_before(text, &source), line, column);
            let reason = source.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
            DataError::Json { file: file.clone(), line, column, reason, source }
        };
        if !start.starts_with('{') {
            serde_json::from_str::<IgnoredAny>(text).map_err(wrong)?;
            let (line, column) = behind(&text[..blanks], line, column);
            return Err(DataError::NotAnObject { file: file.clone(), line, column, found: kind(start) });
        }
        serde_json::from_str(text).or_else(|error| {
            let Some(without) = nan::without(text) else { return Err(wrong(error)) };
            serde_json::from_str(&without).map_err(wrong)
        })
    }
}

/// The kind of a JSON value, as messages call it.
pub(super) fn kind(json: &str) -> &'static str {
    match json.trim_start().bytes().next() {
        Some(b'"') => "a text",
        Some(b'[') => "a list",
        Some(b'{') => "an object",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ => "a number",
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

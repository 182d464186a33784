//! Keys and values of a GGUF, borrowed from the file.

use std::{collections::HashMap, fmt};

use super::{GgufError, cursor::Cursor};

/// Arrays inside arrays go no deeper than this in any file there is.
const DEEPEST: usize = 4;

/// All keys with their values.
#[derive(Debug, Default)]
pub struct Metadata<'a> {
    values: HashMap<&'a str, Value<'a>>,
    /// In the order of the file: keys, and the bytes of their values with the kind before them.
    entries: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Metadata<'a> {
    pub(super) fn read(cursor: &mut Cursor<'a>, count: u64) -> Result<Self, GgufError> {
        let (mut values, mut entries) = (HashMap::new(), Vec::new());
        for _ in 0..count {
            let key = cursor.name()?;
            let start = cursor.position();
            let kind = cursor.u32()?;
            let value = Value::read(cursor, kind, key, 0)?;
            if values.insert(key, value).is_some() {
                return Err(GgufError::DuplicateKey { path: cursor.path().to_owned(), key: key.to_owned() });
            }
            entries.push((key, cursor.since(start)));
        }
        Ok(Self { values, entries })
    }

    /// In the order of the file: keys, and the bytes of their values with the kind before them.
    pub(crate) fn entries(&self) -> &[(&'a str, &'a [u8])] {
        &self.entries
    }

    /// A key's value.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.values.get(key)
    }
}

/// A value; all widths of a kind of number as the widest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// u8, u16, u32, u64.
    Unsigned(u64),
    /// i8, i16, i32, i64.
    Signed(i64),
    /// f32, f64.
    Float(f64),
    /// One byte, 0 for false.
    Bool(bool),
    /// A string's bytes.
    Text(&'a [u8]),
    /// Many values of one kind.
    Array(Array<'a>),
}

impl<'a> Value<'a> {
    fn read(cursor: &mut Cursor<'a>, kind: u32, key: &str, depth: usize) -> Result<Self, GgufError> {
        Ok(match kind {
            0 => Value::Unsigned(cursor.u8()?.into()),
            1 => Value::Signed((cursor.u8()? as i8).into()),
            2 => Value::Unsigned(cursor.u16()?.into()),
            3 => Value::Signed((cursor.u16()? as i16).into()),
            4 => Value::Unsigned(cursor.u32()?.into()),
            5 => Value::Signed((cursor.u32()? as i32).into()),
            6 => Value::Float(f32::from_bits(cursor.u32()?).into()),
            7 => Value::Bool(cursor.u8()? != 0),
            8 => Value::Text(cursor.string()?),
            9 => Value::Array(Array::read(cursor, key, depth)?),
            10 => Value::Unsigned(cursor.u64()?),
            11 => Value::Signed(cursor.u64()? as i64),
            12 => Value::Float(f64::from_bits(cursor.u64()?)),
            _ => {
                let (path, key) = (cursor.path().to_owned(), key.to_owned());
                return Err(GgufError::ValueKind { path, key, kind });
            }
        })
    }

    /// A whole number that isn't negative.
    pub fn as_unsigned(&self) -> Option<u64> {
        match *self {
            Value::Unsigned(value) => Some(value),
            Value::Signed(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }

    /// Any number.
    pub fn as_float(&self) -> Option<f64> {
        match *self {
            Value::Unsigned(value) => Some(value as f64),
            Value::Signed(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        }
    }

    /// A truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// A string, if it is UTF-8.
    pub fn as_str(&self) -> Option<&'a str> {
        match *self {
            Value::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Many values.
    pub fn as_array(&self) -> Option<Array<'a>> {
        match *self {
            Value::Array(array) => Some(array),
            _ => None,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Unsigned(value) => write!(formatter, "{value}"),
            Value::Signed(value) => write!(formatter, "{value}"),
            Value::Float(value) => write!(formatter, "{value}"),
            Value::Bool(value) => write!(formatter, "{value}"),
            Value::Text(bytes) => write!(formatter, "\"{}\"", bytes.escape_ascii()),
            Value::Array(array) => write!(formatter, "an array of {} values", array.count),
        }
    }
}

/// Many values of one kind, walked through once when the header is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Array<'a> {
    kind: u32,
    count: usize,
    bytes: &'a [u8],
}

impl<'a> Array<'a> {
    fn read(cursor: &mut Cursor<'a>, key: &str, depth: usize) -> Result<Self, GgufError> {
        if depth == DEEPEST {
            return Err(GgufError::Nested { path: cursor.path().to_owned(), key: key.to_owned() });
        }
        let kind = cursor.u32()?;
        let count = cursor.length()?;
        let start = cursor.position();
        match width(kind) {
            Some(width) => {
                let bytes = count.checked_mul(width).ok_or_else(|| cursor.truncated(usize::MAX))?;
                cursor.take(bytes)?;
            }
            None => {
                for _ in 0..count {
                    Value::read(cursor, kind, key, depth + 1)?;
                }
            }
        }
        Ok(Self { kind, count, bytes: cursor.since(start) })
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The values one by one.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.bytes, std::path::Path::new(""));
        let kind = self.kind;
        (0..self.count).map_while(move |_| Value::read(&mut cursor, kind, "", 0).ok())
    }
}

/// Bytes of a value, where all values of the kind have as many.
fn width(kind: u32) -> Option<usize> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

//! A record of any format, by column name.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::object::{Found, Object};
use crate::error::DataError;
use crate::place::Place;

/// One record and where it starts.
#[derive(Debug)]
pub(super) struct Record {
    pub place: Place,
    pub values: Values,
}

#[derive(Debug)]
pub(super) enum Values {
    Object(Object),
    Fields {
        header: Arc<Header>,
        fields: Vec<String>,
    },
    /// Of a spreadsheet.
    Sheet {
        header: Arc<Header>,
        cells: Vec<SheetCell>,
    },
}

/// A cell of a spreadsheet.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SheetCell {
    Text(String),
    /// An error such as #N/A.
    Error(String),
    /// A formula whose value was not written down.
    Formula,
}

impl SheetCell {
    /// Its text; empty where there is no value.
    pub fn text(&self) -> &str {
        match self {
            SheetCell::Text(text) => text,
            SheetCell::Error(_) | SheetCell::Formula => "",
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        matches!(self, SheetCell::Text(text) if text.is_empty())
    }
}

/// The names of a table's columns.
#[derive(Debug, Default)]
pub(super) struct Header {
    names: Vec<String>,
    /// The place of each name; none where it repeats.
    places: HashMap<String, Option<usize>>,
}

/// What stands in a column of a record.
#[derive(Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Absent,
    Null,
    Text(Cow<'a, str>),
    /// A field of a table, which may be a text or a number.
    Field(&'a str),
    /// A number, as it is written.
    Number(&'a str),
    Bool(bool),
    /// A list or an object, as it is written.
    Json(&'a str),
}

impl Header {
    /// Of names, which are trimmed.
    pub fn new(names: impl IntoIterator<Item = impl AsRef<str>>) -> Header {
        let names: Vec<String> = names.into_iter().map(|name| name.as_ref().trim().to_owned()).collect();
        let mut places = HashMap::with_capacity(names.len());
        for (place, name) in names.iter().enumerate() {
            places.entry(name.clone()).and_modify(|place| *place = None).or_insert(Some(place));
        }
        Header { names, places }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether several columns have this name.
    pub fn repeats(&self, column: &str) -> bool {
        self.places.get(column).is_some_and(Option::is_none)
    }

    pub fn has(&self, column: &str) -> bool {
        self.places.contains_key(column)
    }
}

impl Record {
    /// The names of its columns, nested ones as paths.
    pub fn columns(&self) -> Vec<String> {
        match &self.values {
            Values::Object(object) => object.paths(),
            Values::Fields { header, .. } | Values::Sheet { header, .. } => header.names.clone(),
        }
    }

    pub fn has(&self, column: &str) -> bool {
        match &self.values {
            Values::Object(object) => !matches!(object.find(column), Found::Absent),
            Values::Fields { header, .. } | Values::Sheet { header, .. } => header.has(column),
        }
    }

    /// What stands in a column.
    ///
    /// # Errors
    /// When the name repeats, or the value can't be read.
    pub fn get(&self, column: &str) -> Result<Cell<'_>, DataError> {
        let repeated = || DataError::DuplicateColumn { place: self.place.clone(), column: column.to_owned() };
        match &self.values {
            Values::Object(object) => match object.find(column) {
                Found::Absent => Ok(Cell::Absent),
                Found::Repeated => Err(repeated()),
                Found::Value(value) => self.cell(value.get()),
            },
            Values::Fields { header, .. } | Values::Sheet { header, .. } => match header.places.get(column) {
                None => Ok(Cell::Absent),
                Some(None) => Err(repeated()),
                Some(Some(place)) => self.at(*place, column),
            },
        }
    }

    /// What stands at a place of a table's row.
    fn at(&self, place: usize, column: &str) -> Result<Cell<'_>, DataError> {
        let wrong = |what: String, way| {
            Err(DataError::Cell { place: self.place.clone(), column: column.to_owned(), what, way })
        };
        let cell = match &self.values {
            Values::Object(_) => None,
            Values::Fields { fields, .. } => {
                return Ok(fields.get(place).map_or(Cell::Absent, |text| Cell::Field(text)));
            }
            Values::Sheet { cells, .. } => cells.get(place),
        };
        match cell {
            None => Ok(Cell::Absent),
            Some(SheetCell::Text(text)) => Ok(Cell::Field(text)),
            Some(SheetCell::Error(error)) => wrong(format!("the error {error}"), "correct or empty the cell"),
            Some(SheetCell::Formula) => wrong(
                "a formula whose value isn't in the file".to_owned(),
                "open the workbook in a spreadsheet program and save it, or write values instead of formulas",
            ),
        }
    }

    fn cell<'a>(&self, json: &'a str) -> Result<Cell<'a>, DataError> {
        Ok(match json.bytes().next() {
            Some(b'"') => match serde_json::from_str(json) {
                Ok(text) => Cell::Text(text),
                Err(source) => return Err(DataError::Unreadable { place: self.place.clone(), source }),
            },
            Some(b'{' | b'[') => Cell::Json(json),
            Some(b't') => Cell::Bool(true),
            Some(b'f') => Cell::Bool(false),
            Some(b'n') => Cell::Null,
            _ => Cell::Number(json),
        })
    }
}

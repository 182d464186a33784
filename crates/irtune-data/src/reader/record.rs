//! A record of any format, by column name.

use std::sync::Arc;

use serde_json::{Map, Value};

/// One record and the line it starts on.
pub(crate) struct Record {
    pub line: usize,
    pub values: Values,
}

pub(crate) enum Values {
    Object(Map<String, Value>),
    Fields { header: Arc<[String]>, fields: Vec<String> },
}

/// What stands in a column of a record.
pub(crate) enum Cell<'a> {
    Absent,
    Null,
    Text(&'a str),
    Number(String),
    /// A list, an object, true or false.
    Other(&'a Value),
}

impl Record {
    pub fn columns(&self) -> Vec<String> {
        match &self.values {
            Values::Object(object) => object.keys().cloned().collect(),
            Values::Fields { header, .. } => header.to_vec(),
        }
    }

    pub fn has(&self, column: &str) -> bool {
        match &self.values {
            Values::Object(object) => object.contains_key(column),
            Values::Fields { header, .. } => header.iter().any(|name| name == column),
        }
    }

    pub fn get(&self, column: &str) -> Cell<'_> {
        match &self.values {
            Values::Object(object) => match object.get(column) {
                None => Cell::Absent,
                Some(Value::Null) => Cell::Null,
                Some(Value::String(text)) => Cell::Text(text),
                Some(Value::Number(number)) => Cell::Number(number.to_string()),
                Some(other) => Cell::Other(other),
            },
            Values::Fields { header, fields } => {
                let position = header.iter().position(|name| name == column);
                position
                    .and_then(|position| fields.get(position))
                    .map_or(Cell::Absent, |text| Cell::Text(text))
            }
        }
    }
}

/// The kind of a JSON value, as messages call it.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

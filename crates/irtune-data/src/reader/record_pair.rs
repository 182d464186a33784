//! A record of a file as a row, column by column.

use std::sync::Arc;

use serde_json::Value;

use super::columns::{GOLD, Layout, Role};
use super::json::kind;
use super::labels::Labels;
use super::record::{Cell, Record};
use super::told::Said;
use crate::error::{DataError, Quoted};
use crate::id::Id;
use crate::number::canonical;
use crate::place::Place;
use crate::votes::Votes;

/// The only member of the object in which Label Studio writes several choices.
const CHOICES: &str = "choices";

/// A record, and what is known about its file.
pub(super) struct Recorded<'a> {
    /// The file, as errors name it.
    pub file: &'a Arc<str>,
    pub record: &'a Record,
    pub layout: &'a Layout,
}

impl Recorded<'_> {
    /// What the label column holds.
    pub fn said(&self) -> Result<Said, DataError> {
        let role = &self.layout.label;
        let Some(column) = self.column(role)? else { return Ok(Said::default()) };
        let place = || self.record.place.clone();
        let wrong = |source| DataError::Votes { place: place(), column: column.to_owned(), source };
        let json = match self.record.get(column)? {
            Cell::Json(json) => {
                let value = serde_json::from_str(json);
                Some(value.map_err(|source| DataError::Unreadable { place: place(), source })?)
            }
            Cell::Text(text) => Votes::json(&text).map_err(wrong)?,
            Cell::Field(text) => Votes::json(text).map_err(wrong)?,
            _ => None,
        };
        let Some(json) = json else {
            return Ok(Said { label: self.name(role)?, ..Said::default() });
        };
        let choices = match &json {
            Value::Object(members) if members.len() == 1 => {
                members.get(CHOICES).filter(|list| list.is_array())
            }
            _ => None,
        };
        let Some(votes) = Votes::of(choices.unwrap_or(&json)).map_err(wrong)? else {
            return Ok(Said { label: self.name(role)?, ..Said::default() });
        };
        let gold = GOLD.iter().filter(|gold| **gold != column).find_map(|gold| match self.record.get(gold) {
            Ok(Cell::Text(text)) => Some(text.trim().to_owned()),
            Ok(Cell::Field(text)) => Some(text.trim().to_owned()),
            _ => None,
        });
        let label = votes.majority(gold.as_deref()).map(str::to_owned);
        Ok(Said { label, votes: Some(votes), are_labels: choices.is_some() })
    }

    /// The column of the label, for what is said of a row that has none.
    pub fn label_column(&self) -> Result<String, DataError> {
        let role = &self.layout.label;
        self.column(role)?.map(str::to_owned).ok_or_else(|| self.missing(role))
    }

    /// Original and revised text, as they are in the file.
    pub fn texts(&self) -> Result<(String, String), DataError> {
        Ok((self.side(&self.layout.original)?, self.side(&self.layout.revised)?))
    }

    /// The document. What is neither text nor number is its own name.
    pub fn group(&self) -> Result<Option<String>, DataError> {
        let Some(column) = self.column(&self.layout.group)? else { return Ok(None) };
        Ok(match self.record.get(column)? {
            Cell::Json(json) => Some(json.to_owned()),
            cell => named(cell),
        })
    }

    /// The row's own name, as it stands.
    pub fn id(&self) -> Result<Option<Id>, DataError> {
        let Some(column) = self.column(&self.layout.id)? else { return Ok(None) };
        let text = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(Id::from);
        Ok(match self.record.get(column)? {
            Cell::Absent | Cell::Null => None,
            Cell::Text(own) => text(&own),
            Cell::Field(own) => text(own),
            Cell::Number(json) | Cell::Json(json) => Some(Id::Json(json.to_owned())),
            Cell::Bool(value) => Some(Id::Json(value.to_string())),
        })
    }

    fn column<'r>(&self, role: &'r Role) -> Result<Option<&'r str>, DataError> {
        role.find(self.file, |name| self.record.has(name), || self.record.columns())
    }

    fn side(&self, role: &Role) -> Result<String, DataError> {
        let Some(column) = self.column(role)? else {
            return if self.layout.absent_is_empty { Ok(String::new()) } else { Err(self.missing(role)) };
        };
        match self.record.get(column)? {
            Cell::Text(text) => Ok(text.into_owned()),
            Cell::Field(text) => Ok(text.to_owned()),
            Cell::Null | Cell::Absent => Ok(String::new()),
            Cell::Number(json) | Cell::Json(json) => {
                Err(self.wrong_type(column, "a text or null", kind(json)))
            }
            Cell::Bool(_) => Err(self.wrong_type(column, "a text or null", "true or false")),
        }
    }

    /// A label without blanks around it; numbers, true and false are names too.
    fn name(&self, role: &Role) -> Result<Option<String>, DataError> {
        let Some(column) = self.column(role)? else { return Ok(None) };
        match self.record.get(column)? {
            Cell::Json(json) => Err(self.wrong_type(column, "a label", kind(json))),
            cell => Ok(named(cell)),
        }
    }

    fn wrong_type(&self, column: &str, expected: &'static str, found: &'static str) -> DataError {
        let (place, column) = (self.record.place.clone(), column.to_owned());
        DataError::WrongType { place, column, expected, found }
    }

    fn missing(&self, role: &Role) -> DataError {
        let place: Place = self.record.place.clone();
        let column = role.columns.first().cloned().unwrap_or_default();
        DataError::MissingColumn { place, column, role: role.name, found: Quoted(self.record.columns()) }
    }
}

/// A label's or a document's name. A number has one name, however it is written, also in a table, whose fields can't say
/// whether they are numbers.
fn named(cell: Cell<'_>) -> Option<String> {
    let text = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    match cell {
        Cell::Text(own) => text(&own),
        Cell::Field(own) => text(own).map(|own| canonical(&own).unwrap_or(own)),
        Cell::Number(number) => Some(canonical(number).unwrap_or_else(|| number.to_owned())),
        Cell::Bool(value) => Some(value.to_string()),
        Cell::Absent | Cell::Null | Cell::Json(_) => None,
    }
}

/// Holds the columns of the header, or of the first object, against the layout.
pub(super) fn check(
    layout: &Layout,
    labels: Labels,
    file: &Arc<str>,
    place: &Place,
    has: impl Fn(&str) -> bool,
    found: impl Fn() -> Vec<String>,
) -> Result<(), DataError> {
    let one_side_found =
        layout.original.find(file, &has, &found)?.or(layout.revised.find(file, &has, &found)?).is_some();
    let sides_needed = !(layout.absent_is_empty && one_side_found);
    let read = labels != Labels::Ignored;
    for (role, needed, read) in [
        (&layout.original, sides_needed, true),
        (&layout.revised, sides_needed, true),
        (&layout.label, matches!(labels, Labels::Required | Labels::Several), read),
        (&layout.group, false, read),
        (&layout.id, false, true),
    ] {
        if !read {
            continue;
        }
        let present = role.find(file, &has, &found)?.is_some();
        if present || !(needed || role.given) {
            continue;
        }
        let (place, found) = (place.clone(), Quoted(found()));
        return Err(match role.columns.as_slice() {
            [column] => DataError::MissingColumn { place, column: column.clone(), role: role.name, found },
            _ => DataError::UndecidedColumns {
                file: file.clone(),
                role: role.name,
                candidates: Quoted(Vec::new()),
                found,
            },
        });
    }
    Ok(())
}

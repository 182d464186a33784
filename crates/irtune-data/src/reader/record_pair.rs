//! A record of a file as a pair, column by column.

use std::sync::Arc;

use super::Labels;
use super::columns::{GOLD, Layout, Role};
use super::record::{Cell, Record, kind};
use super::told::{Told, Untold, missing, told};
use crate::error::{DataError, Quoted};
use crate::pair::Pair;
use crate::place::Place;
use crate::votes::Votes;

/// A record, and what is known about its file.
pub(super) struct Recorded<'a> {
    /// The file, as errors name it.
    pub file: &'a Arc<str>,
    pub record: &'a Record,
    pub layout: &'a Layout,
}

impl Recorded<'_> {
    /// The record's pair; `None` when its label is to be dropped.
    pub fn pair(&self, labels: Labels) -> Result<Option<Pair>, DataError> {
        let layout = self.layout;
        let (label, votes) = self.label()?;
        let told = told(label, votes, labels, &layout.drop_labels).map_err(|problem| match problem {
            Untold::Nothing => match self.column(&layout.label) {
                Ok(Some(column)) => missing(self.place(), Some(column.to_owned()), labels),
                Ok(None) => self.missing(&layout.label),
                Err(error) => error,
            },
            Untold::Weights => DataError::WeightedLabels { place: self.place() },
        })?;
        let Some(Told { label, votes, labels }) = told else { return Ok(None) };
        let original = self.side(&layout.original)?;
        let revised = self.side(&layout.revised)?;
        if original.trim().is_empty() && revised.trim().is_empty() {
            return Err(DataError::BothSidesEmpty { place: self.place() });
        }
        let group = self.name(&layout.group)?;
        let id = self.name(&layout.id)?;
        Ok(Some(Pair { original, revised, label, votes, labels, group, id, place: self.place() }))
    }

    fn place(&self) -> Place {
        Place::Line { file: self.file.clone(), line: self.record.line }
    }

    fn column<'r>(&self, role: &'r Role) -> Result<Option<&'r str>, DataError> {
        role.find(self.file, |name| self.record.has(name), || self.record.columns())
    }

    /// A side's text, as it is in the file.
    fn side(&self, role: &Role) -> Result<String, DataError> {
        let Some(column) = self.column(role)? else {
            return if self.layout.absent_is_empty { Ok(String::new()) } else { Err(self.missing(role)) };
        };
        match self.record.get(column) {
            Cell::Text(text) => Ok(text.to_owned()),
            Cell::Null | Cell::Absent => Ok(String::new()),
            Cell::Number(_) => Err(self.wrong_type(column, "a text or null", "a number")),
            Cell::Other(found) => Err(self.wrong_type(column, "a text or null", kind(found))),
        }
    }

    /// The label, and what each annotator said where the column holds that: their majority is the label then, and a
    /// usual column of labels beside it decides between equals.
    fn label(&self) -> Result<(Option<String>, Option<Votes>), DataError> {
        let role = &self.layout.label;
        let Some(column) = self.column(role)? else { return Ok((None, None)) };
        let votes = match self.record.get(column) {
            Cell::Text(text) => Votes::of_text(text),
            Cell::Other(value) => Votes::of(value),
            Cell::Absent | Cell::Null | Cell::Number(_) => Ok(None),
        };
        let wrong = |source| DataError::Votes { place: self.place(), column: column.to_owned(), source };
        let Some(votes) = votes.map_err(wrong)? else { return Ok((self.name(role)?, None)) };
        let gold = GOLD.iter().filter(|gold| **gold != column).find_map(|gold| match self.record.get(gold) {
            Cell::Text(text) => Some(text.trim()),
            _ => None,
        });
        Ok((votes.majority(gold).map(str::to_owned), Some(votes)))
    }

    /// A document or row name, or a label, without blanks around it; numbers are names too.
    fn name(&self, role: &Role) -> Result<Option<String>, DataError> {
        let Some(column) = self.column(role)? else { return Ok(None) };
        match self.record.get(column) {
            Cell::Text(text) => Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)),
            Cell::Number(number) => Ok(Some(number)),
            Cell::Null | Cell::Absent => Ok(None),
            Cell::Other(found) => Err(self.wrong_type(column, "a text, a number or null", kind(found))),
        }
    }

    fn wrong_type(&self, column: &str, expected: &'static str, found: &'static str) -> DataError {
        let (file, line) = (self.file.clone(), self.record.line);
        DataError::WrongType { file, line, column: column.to_owned(), expected, found }
    }

    fn missing(&self, role: &Role) -> DataError {
        let (file, line) = (self.file.clone(), self.record.line);
        let column = role.columns.first().cloned().unwrap_or_default();
        DataError::MissingColumn { file, line, column, role: role.name, found: Quoted(self.record.columns()) }
    }
}

/// Holds the columns of the header, or of the first object, against the layout.
pub(super) fn check(
    layout: &Layout,
    labels: Labels,
    file: &Arc<str>,
    line: usize,
    has: impl Fn(&str) -> bool,
    found: impl Fn() -> Vec<String>,
) -> Result<(), DataError> {
    let one_side_found =
        layout.original.find(file, &has, &found)?.or(layout.revised.find(file, &has, &found)?).is_some();
    let sides_needed = !(layout.absent_is_empty && one_side_found);
    for (role, needed) in [
        (&layout.original, sides_needed),
        (&layout.revised, sides_needed),
        (&layout.label, labels != Labels::Optional),
        (&layout.group, false),
        (&layout.id, false),
    ] {
        let present = role.find(file, &has, &found)?.is_some();
        if present || !(needed || role.given) {
            continue;
        }
        let (file, found) = (file.clone(), Quoted(found()));
        return Err(match role.columns.as_slice() {
            [column] => {
                DataError::MissingColumn { file, line, column: column.clone(), role: role.name, found }
            }
            _ => DataError::UndecidedColumns { file, role: role.name, candidates: Quoted(Vec::new()), found },
        });
    }
    Ok(())
}

//! Rows inside one object: `{"data": [{…}, {…}]}`, or a list of values for each column.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::super::columns::Columns;
use super::super::document::is_document;
use super::super::object::{Found, Members, Object, entries};
use super::super::record::{Record, Values};
use super::super::tasks::is_task;
use crate::error::{DataError, Quoted};
use crate::place::Place;

/// Objects within each other in which a list of rows is looked for.
const DEPTH: usize = 4;

/// Whether an object could hold the rows rather than be one: it has no column for a text, or a column of lists.
pub(crate) fn may_hold_rows(object: &Object, columns: &Columns) -> bool {
    let is_text = |column: &str| match object.find(column) {
        Found::Value(value) => is_text(value),
        Found::Repeated => true,
        Found::Absent => false,
    };
    !is_document(object)
        && !is_task(object)
        && !columns.fit(is_text)
        && object.0.iter().any(|(_, value)| value.get().starts_with(['{', '[']))
}

/// The rows in a file's only object; `None` when that is a row itself.
///
/// # Errors
/// When it holds several lists that could be the rows.
pub(crate) fn unwrapped(
    object: &Object,
    columns: &Columns,
    file: &Arc<str>,
) -> Result<Option<Vec<Record>>, DataError> {
    if columns.fit(|column| !matches!(object.find(column), Found::Absent)) {
        return by_column(object, columns, file);
    }
    let mut lists = Vec::new();
    for (name, value) in &object.0 {
        find_lists(name, value, DEPTH, &mut lists);
    }
    let fits = |rows: &[&RawValue]| match rows.first().map(|row| serde_json::from_str::<Object>(row.get())) {
        Some(Ok(first)) => columns.fit(|column| !matches!(first.find(column), Found::Absent)),
        _ => false,
    };
    let fitting: Vec<&(String, Vec<&RawValue>)> = lists.iter().filter(|(_, rows)| fits(rows)).collect();
    let rows = match (fitting.as_slice(), lists.as_slice()) {
        ([(_, rows)], _) | ([], [(_, rows)]) => rows,
        ([], []) if object.0.iter().any(|(_, value)| is_empty(value)) => return Ok(Some(Vec::new())),
        ([], _) => return Ok(None),
        (several, _) => {
            let lists = Quoted(several.iter().map(|(path, _)| path.clone()).collect());
            return Err(DataError::SeveralLists { file: file.clone(), lists });
        }
    };
    let mut records = Vec::with_capacity(rows.len());
    for (number, row) in (1..).zip(rows) {
        let place = Place::Row { rows: file.clone(), row: number };
        let object = serde_json::from_str(row.get());
        let object = object.map_err(|source| DataError::Unreadable { place: place.clone(), source })?;
        records.push(Record { place, values: Values::Object(object) });
    }
    Ok(Some(records))
}

/// All lists of objects below a value, with their paths.
fn find_lists<'a>(
    path: &str,
    value: &'a RawValue,
    depth: usize,
    lists: &mut Vec<(String, Vec<&'a RawValue>)>,
) {
    if let Some(rows) = entries(value) {
        if !rows.is_empty() && rows.iter().all(|row| row.get().starts_with('{')) {
            lists.push((path.to_owned(), rows));
        }
        return;
    }
    if depth > 1
        && let Some(members) = Members::of(value)
    {
        for (name, inner) in members.0 {
            find_lists(&format!("{path}.{name}"), inner, depth - 1, lists);
        }
    }
}

/// A list without entries.
fn is_empty(value: &RawValue) -> bool {
    entries(value).is_some_and(|rows| rows.is_empty())
}

/// A column of an object of columns.
struct ListedColumn<'a> {
    name: &'a str,
    /// The rows' names, where the column is an object.
    rows: Option<Vec<String>>,
    values: Vec<&'a RawValue>,
}

impl<'a> ListedColumn<'a> {
    fn of(name: &'a str, value: &'a RawValue) -> Option<Self> {
        Some(match Members::of(value) {
            Some(members) => {
                let (rows, values) = members.0.into_iter().unzip();
                ListedColumn { name, rows: Some(rows), values }
            }
            None => ListedColumn { name, rows: None, values: entries(value)? },
        })
    }

    /// The values in the order of another column's rows.
    ///
    /// # Errors
    /// When it lacks one of these rows.
    fn in_order_of(&mut self, first: &str, rows: &[String], file: &Arc<str>) -> Result<(), DataError> {
        let Some(own) = &self.rows else { return Ok(()) };
        let places: HashMap<&String, usize> = own.iter().zip(0..).collect();
        let value = |row: &String| match places.get(row) {
            Some(&place) => Ok(self.values[place]),
            None => Err(DataError::UnevenColumns {
                file: file.clone(),
                column: self.name.to_owned(),
                other: first.to_owned(),
                row: row.clone(),
            }),
        };
        self.values = rows.iter().map(value).collect::<Result<_, _>>()?;
        Ok(())
    }
}

/// Rows whose columns are lists, or objects of row names, of the same length: what pandas and datasets write.
///
/// # Errors
/// When columns that are objects have other rows.
fn by_column(object: &Object, columns: &Columns, file: &Arc<str>) -> Result<Option<Vec<Record>>, DataError> {
    let lists = object.0.iter().map(|(name, value)| ListedColumn::of(name, value));
    let Some(mut lists) = lists.collect::<Option<Vec<_>>>() else { return Ok(None) };
    let rows = lists.first().map_or(0, |first| first.values.len());
    let same = lists.iter().all(|list| list.values.len() == rows);
    let text = |column: &str| {
        lists.iter().any(|list| list.name == column && list.values.iter().all(|value| is_text(value)))
    };
    if !same || rows == 0 || !columns.fit(text) {
        return Ok(None);
    }
    let named = lists.iter().find_map(|list| Some((list.name, list.rows.clone()?)));
    if let Some((first, rows)) = named {
        for list in &mut lists {
            list.in_order_of(first, &rows, file)?;
        }
    }
    let row = |row: usize| {
        let members = lists.iter().map(|list| (list.name.to_owned(), list.values[row].to_owned()));
        let place = Place::Row { rows: file.clone(), row: row + 1 };
        Record { place, values: Values::Object(Object(members.collect())) }
    };
    Ok(Some((0..rows).map(row).collect()))
}

/// A text, or null.
fn is_text(value: &RawValue) -> bool {
    value.get().starts_with(['"', 'n'])
}

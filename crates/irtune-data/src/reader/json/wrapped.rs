//! Rows inside one object: `{"data": [{…}, {…}]}`, or a list of values for each column.

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
        return Ok(by_column(object, columns, file));
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

/// Rows whose columns are lists, or objects of row names, of the same length: what pandas and datasets write.
fn by_column(object: &Object, columns: &Columns, file: &Arc<str>) -> Option<Vec<Record>> {
    let values = |value: &RawValue| -> Option<Vec<Box<RawValue>>> {
        let values = match Members::of(value) {
            Some(members) => members.0.into_iter().map(|(_, value)| value).collect(),
            None => entries(value)?,
        };
        Some(values.into_iter().map(RawValue::to_owned).collect())
    };
    let lists = object.0.iter().map(|(name, value)| Some((name, values(value)?)));
    let lists: Vec<(&String, Vec<Box<RawValue>>)> = lists.collect::<Option<_>>()?;
    let rows = lists.first()?.1.len();
    let same = lists.iter().all(|(_, values)| values.len() == rows);
    let text = |column: &str| {
        lists.iter().any(|(name, values)| *name == column && values.iter().all(|value| is_text(value)))
    };
    if !same || rows == 0 || !columns.fit(text) {
        return None;
    }
    let row = |row: usize| {
        let members = lists.iter().map(|(name, values)| ((*name).clone(), values[row].clone()));
        let place = Place::Row { rows: file.clone(), row: row + 1 };
        Record { place, values: Values::Object(Object(members.collect())) }
    };
    Some((0..rows).map(row).collect())
}

/// A text, or null.
fn is_text(value: &RawValue) -> bool {
    value.get().starts_with(['"', 'n'])
}

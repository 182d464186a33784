//! IteraTeR's document files: a revised document and its edits, each of which is a pair.

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::object::{Found, Object, entries};
use super::record::{Record, Values};
use crate::error::DataError;

/// An edit of a document: the text between two places, in characters, is replaced.
#[derive(Deserialize)]
struct Edit {
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    after: Option<String>,
    start_char_pos: usize,
    end_char_pos: usize,
}

/// The text of a document before its revision, and its edits; `None` for any other object.
fn parts(object: &Object) -> Option<(&RawValue, Vec<&RawValue>)> {
    let value = |name: &str| match object.find(name) {
        Found::Value(value) => Some(value),
        Found::Absent | Found::Repeated => None,
    };
    if value("before_sent").is_some() || value("after_sent").is_some() {
        return None;
    }
    Some((value("before_revision")?, entries(value("edit_actions")?)?))
}

/// Whether an object is a document with its edits.
pub(super) fn is_document(object: &Object) -> bool {
    parts(object).is_some()
}

/// A pair for each edit of a document: the sentence around it, and that sentence with this edit alone. `None` when the
/// record is no document.
///
/// # Errors
/// When an edit does not fit the document's text.
///
/// # Source
/// vipulraheja/IteraTeR, dataset/README.md.
pub(super) fn edits(record: &Record) -> Result<Option<Vec<Record>>, DataError> {
    let Values::Object(object) = &record.values else { return Ok(None) };
    let Some((before, edits)) = parts(object) else { return Ok(None) };
    let starts = match object.find("sents_char_pos") {
        Found::Value(starts) => Some(starts),
        Found::Absent | Found::Repeated => None,
    };
    let unreadable = |source| DataError::Unreadable { place: record.place.clone(), source };
    let text: String = serde_json::from_str(before.get()).map_err(unreadable)?;
    let text: Vec<char> = text.chars().collect();
    // Where sentences begin, in characters.
    let starts: Vec<usize> =
        starts.map_or(Ok(Vec::new()), |starts| serde_json::from_str(starts.get())).map_err(unreadable)?;
    let mut records = Vec::with_capacity(edits.len());
    for (number, edit) in (1..).zip(edits) {
        let misplaced = || DataError::EditMisplaced { place: record.place.clone(), edit: number };
        let members: Object = serde_json::from_str(edit.get()).map_err(unreadable)?;
        let edit: Edit = serde_json::from_str(edit.get()).map_err(unreadable)?;
        let (start, end) = (edit.start_char_pos, edit.end_char_pos);
        let replaced: String = text.get(start..end).ok_or_else(misplaced)?.iter().collect();
        if edit.before.as_ref().is_some_and(|before| before.trim() != replaced.trim()) {
            return Err(misplaced());
        }
        let first = starts.iter().copied().filter(|&place| place <= start).max().unwrap_or(0);
        let last = starts.iter().copied().filter(|&place| place >= end.max(start + 1)).min();
        let last = last.unwrap_or(text.len()).min(text.len());
        let part = |from: usize, to: usize| text[from..to.max(from)].iter().collect::<String>();
        let before = part(first, last);
        let after = part(first, start) + edit.after.as_deref().unwrap_or_default() + &part(end, last);
        let sentence = |text: &str| to_raw_value(text.trim_end()).map_err(unreadable);
        let mut all: Vec<(String, Box<RawValue>)> = vec![
            ("before_sent".to_owned(), sentence(&before)?),
            ("after_sent".to_owned(), sentence(&after)?),
        ];
        if let Found::Value(intent) = members.find("major_intent") {
            all.push(("labels".to_owned(), intent.to_owned()));
        }
        all.extend(
            members
                .0
                .into_iter()
                .filter(|(name, _)| !["before_sent", "after_sent", "labels"].contains(&name.as_str())),
        );
        let names: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
        let of_document = object.0.iter().filter(|(name, _)| {
            !["before_revision", "after_revision", "edit_actions", "sents_char_pos"].contains(&name.as_str())
                && !names.contains(name)
        });
        all.extend(of_document.cloned());
        records.push(Record { place: record.place.clone(), values: Values::Object(Object(all)) });
    }
    Ok(Some(records))
}

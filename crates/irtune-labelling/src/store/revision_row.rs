//! A revision as a row.

use super::error::StoreError;
use super::ids::{ActId, DocumentId, RevisionId};
use irtune_documents::{Passage, Revision, RevisionKind};
use rusqlite::{Connection, Row};

/// The columns that [`read`] reads, in its order.
pub(super) const COLUMNS: &str = "id, kind, place, original, original_start, original_end, original_block, \
     original_section, revised, revised_start, revised_end, revised_block, revised_section";

/// A revision of a document, and its number.
pub(super) fn read(row: &Row<'_>) -> Result<(RevisionId, Revision), StoreError> {
    let kind: String = row.get(1)?;
    let kind = kind.parse::<RevisionKind>();
    let kind = kind
        .map_err(|_| StoreError::Damaged { what: "revisions.kind", found: row.get(1).unwrap_or_default() })?;
    let passage = |first: usize| -> Result<Option<Passage>, StoreError> {
        let Some(text) = row.get::<_, Option<String>>(first)? else { return Ok(None) };
        let span = row.get(first + 1)?..row.get(first + 2)?;
        Ok(Some(Passage { text, span, block: row.get(first + 3)?, section: row.get(first + 4)? }))
    };
    let revision = Revision { kind, original: passage(3)?, revised: passage(8)?, at: row.get(2)? };
    Ok((row.get(0)?, revision))
}

/// Adds a revision of a document.
pub(super) fn insert(
    connection: &Connection,
    document: DocumentId,
    revision: &Revision,
    made_by: Option<ActId>,
) -> Result<RevisionId, StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO revisions (document, kind, place, original, original_start, original_end, original_block, \
         original_section, revised, revised_start, revised_end, revised_block, revised_section, made_by) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    let (original, revised) = (revision.original.as_ref(), revision.revised.as_ref());
    statement.execute(rusqlite::params![
        document,
        revision.kind.to_string(),
        revision.at,
        original.map(|passage| &passage.text),
        original.map(|passage| passage.span.start),
        original.map(|passage| passage.span.end),
        original.map(|passage| passage.block),
        original.and_then(|passage| passage.section.as_ref()),
        revised.map(|passage| &passage.text),
        revised.map(|passage| passage.span.start),
        revised.map(|passage| passage.span.end),
        revised.map(|passage| passage.block),
        revised.and_then(|passage| passage.section.as_ref()),
        made_by,
    ])?;
    Ok(RevisionId(connection.last_insert_rowid()))
}

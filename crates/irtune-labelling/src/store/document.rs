//! Two drafts.

use super::error::StoreError;
use super::ids::{DocumentId, RevisionId};
use super::open::{Store, now_ms};
use super::prediction::{self, Answer};
use super::revision_row;
use super::said::{self, Opinions};
use irtune_documents::{Block, BlockKind, Document, Revision, in_order};
use rusqlite::OptionalExtension as _;

/// Two drafts to keep.
#[derive(Debug, Clone, Copy)]
pub struct NewDocument<'a> {
    /// What the old draft is called.
    pub old_name: &'a str,
    /// What the new draft is called.
    pub new_name: &'a str,
    /// The old draft.
    pub old: &'a Document,
    /// The new draft.
    pub new: &'a Document,
    /// What became of every sentence.
    pub revisions: &'a [Revision],
}

/// A line of the list of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentEntry {
    /// Its number.
    pub id: DocumentId,
    /// What the old draft is called.
    pub old_name: String,
    /// What the new draft is called.
    pub new_name: String,
    /// When it came, in milliseconds since 1970.
    pub added_ms: i64,
    /// Revisions whose text changed.
    pub revisions: usize,
    /// Those of them that somebody labelled.
    pub labelled: usize,
}

/// Two drafts as they are now.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDocument {
    /// Its number.
    pub id: DocumentId,
    /// What the old draft is called.
    pub old_name: String,
    /// What the new draft is called.
    pub new_name: String,
    /// The old draft.
    pub old: Document,
    /// The new draft.
    pub new: Document,
    /// What became of every sentence, in the order of the new draft.
    pub revisions: Vec<StoredRevision>,
}

/// A revision with what was said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRevision {
    /// Its number.
    pub id: RevisionId,
    /// What happened.
    pub revision: Revision,
    /// What the model said that was asked last.
    pub answer: Option<Answer>,
    /// What people said.
    pub opinions: Opinions,
}

impl Store {
    /// Keeps two drafts.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn add_document(&mut self, new: &NewDocument<'_>) -> Result<DocumentId, StoreError> {
        let transaction = self.writing()?;
        transaction.execute(
            "INSERT INTO documents (old_name, new_name, added_ms) VALUES (?1, ?2, ?3)",
            (new.old_name, new.new_name, now_ms()),
        )?;
        let id = DocumentId(transaction.last_insert_rowid());
        {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO blocks (document, side, number, kind, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (side, document) in [("old", new.old), ("new", new.new)] {
                for (number, block) in document.blocks.iter().enumerate() {
                    statement.execute((id, side, number, block.kind.to_string(), &block.text))?;
                }
            }
        }
        for revision in new.revisions {
            revision_row::insert(&transaction, id, revision, None)?;
        }
        transaction.commit()?;
        Ok(id)
    }

    /// All documents, the newest first.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn documents(&self) -> Result<Vec<DocumentEntry>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, old_name, new_name, added_ms, \
             (SELECT count(*) FROM revisions WHERE document = documents.id AND gone_by IS NULL \
                AND original IS NOT revised), \
             (SELECT count(*) FROM revisions WHERE document = documents.id AND gone_by IS NULL \
                AND original IS NOT revised AND EXISTS (SELECT 1 FROM acts WHERE acts.revision = revisions.id \
                AND kind IN ('label', 'decide') AND undone_ms IS NULL)) \
             FROM documents ORDER BY id DESC",
        )?;
        let entry = |row: &rusqlite::Row<'_>| {
            Ok(DocumentEntry {
                id: row.get(0)?,
                old_name: row.get(1)?,
                new_name: row.get(2)?,
                added_ms: row.get(3)?,
                revisions: row.get(4)?,
                labelled: row.get(5)?,
            })
        };
        Ok(statement.query_map([], entry)?.collect::<Result<_, _>>()?)
    }

    /// Two drafts as they are now; `model` is the one whose answers are wanted.
    ///
    /// # Errors
    /// When there are no such drafts, the store is damaged, or SQLite fails.
    pub fn document(&self, id: DocumentId, model: &str) -> Result<StoredDocument, StoreError> {
        let names = "SELECT old_name, new_name FROM documents WHERE id = ?1";
        let names =
            self.connection.query_row(names, [id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (old_name, new_name) = names.ok_or(StoreError::NoDocument(id))?;
        let mut answers = prediction::answers(&self.connection, model, Some(id))?;
        let mut opinions = said::opinions(&self.connection, Some(id))?;
        let columns = revision_row::COLUMNS;
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {columns} FROM revisions WHERE document = ?1 AND gone_by IS NULL ORDER BY id"
        ))?;
        let mut rows = statement.query([id])?;
        let mut revisions = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, revision) = revision_row::read(row)?;
            let opinions = opinions.remove(&id).unwrap_or_default();
            revisions.push(StoredRevision { id, revision, answer: answers.remove(&id), opinions });
        }
        let order = in_order(revisions.iter().map(|own| &own.revision));
        let mut revisions: Vec<Option<StoredRevision>> = revisions.into_iter().map(Some).collect();
        let revisions = order.into_iter().filter_map(|place| revisions[place].take()).collect();
        Ok(StoredDocument {
            id,
            old_name,
            new_name,
            old: self.draft(id, "old")?,
            new: self.draft(id, "new")?,
            revisions,
        })
    }

    fn draft(&self, id: DocumentId, side: &str) -> Result<Document, StoreError> {
        let blocks = "SELECT kind, text FROM blocks WHERE document = ?1 AND side = ?2 ORDER BY number";
        let mut statement = self.connection.prepare_cached(blocks)?;
        let mut rows = statement.query((id, side))?;
        let mut document = Document::default();
        while let Some(row) = rows.next()? {
            let kind: String = row.get(0)?;
            let parsed = kind.parse::<BlockKind>();
            let kind = parsed.map_err(|_| StoreError::Damaged { what: "blocks.kind", found: kind })?;
            document.blocks.push(Block { kind, text: row.get(1)? });
        }
        Ok(document)
    }
}

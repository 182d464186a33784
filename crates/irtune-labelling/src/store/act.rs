//! What people do.

use super::error::StoreError;
use super::ids::{ActId, RevisionId};
use super::open::{Store, now_ms};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

/// Most letters of an annotator's name.
pub const LONGEST_NAME: usize = 80;

/// A name that an annotator can have, without the blanks around it; `None` where it is empty or too long.
pub fn annotator_name(name: &str) -> Option<&str> {
    let name = name.trim();
    (!name.is_empty() && name.chars().count() <= LONGEST_NAME).then_some(name)
}

impl Store {
    /// Keeps what an annotator says of a revision; without labels that they pass.
    ///
    /// # Errors
    /// When the revision isn't there any more, the name is none, or SQLite fails.
    pub fn say(
        &mut self,
        revision: RevisionId,
        annotator: &str,
        labels: Option<&[String]>,
    ) -> Result<ActId, StoreError> {
        let kind = if labels.is_some() { "label" } else { "pass" };
        self.act_on(revision, annotator, kind, labels)
    }

    /// Keeps what was decided about a revision that annotators disagree on.
    ///
    /// # Errors
    /// As [`Store::say`].
    pub fn decide(
        &mut self,
        revision: RevisionId,
        annotator: &str,
        labels: &[String],
    ) -> Result<ActId, StoreError> {
        self.act_on(revision, annotator, "decide", Some(labels))
    }

    fn act_on(
        &mut self,
        revision: RevisionId,
        annotator: &str,
        kind: &str,
        labels: Option<&[String]>,
    ) -> Result<ActId, StoreError> {
        let transaction = self.writing()?;
        let there = "SELECT 1 FROM revisions WHERE id = ?1 AND gone_by IS NULL";
        if transaction.query_row(there, [revision], |_| Ok(())).optional()?.is_none() {
            return Err(StoreError::NoRevision(revision));
        }
        let act = insert(&transaction, annotator, kind, Some(revision), labels)?;
        transaction.commit()?;
        Ok(act)
    }

    /// Undoes the last thing that an annotator did and that isn't undone; says which revision it was about, or nothing where
    /// there is nothing to undo.
    ///
    /// # Errors
    /// When what was split or joined was split or joined again since, or SQLite fails.
    pub fn undo(&mut self, annotator: &str) -> Result<Option<RevisionId>, StoreError> {
        let transaction = self.writing()?;
        let last = "SELECT acts.id, acts.revision FROM acts JOIN annotators ON annotators.id = acts.annotator \
                    WHERE annotators.name = ?1 AND acts.undone_ms IS NULL ORDER BY acts.id DESC LIMIT 1";
        let last = transaction
            .query_row(last, [annotator], |row| Ok((row.get::<_, ActId>(0)?, row.get::<_, RevisionId>(1)?)))
            .optional()?;
        let Some((act, revision)) = last else { return Ok(None) };
        let again = "SELECT count(*) FROM revisions WHERE made_by = ?1 AND gone_by IS NOT NULL";
        if transaction.query_row(again, [act], |row| row.get::<_, i64>(0))? > 0 {
            return Err(StoreError::Superseded);
        }
        transaction.execute("UPDATE revisions SET gone_by = NULL WHERE gone_by = ?1", [act])?;
        transaction.execute("UPDATE revisions SET gone_by = ?1 WHERE made_by = ?1", [act])?;
        transaction.execute("UPDATE acts SET undone_ms = ?2 WHERE id = ?1", (act, now_ms()))?;
        transaction.commit()?;
        Ok(Some(revision))
    }

    /// A transaction that is about to write.
    pub(super) fn writing(&mut self) -> Result<Transaction<'_>, StoreError> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

/// Adds an act.
pub(super) fn insert(
    connection: &Connection,
    annotator: &str,
    kind: &str,
    revision: Option<RevisionId>,
    labels: Option<&[String]>,
) -> Result<ActId, StoreError> {
    let annotator = annotator_id(connection, annotator)?;
    let labels = labels.map(|labels| serde_json::json!(labels).to_string());
    connection.execute(
        "INSERT INTO acts (annotator, kind, revision, labels, made_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        (annotator, kind, revision, labels, now_ms()),
    )?;
    Ok(ActId(connection.last_insert_rowid()))
}

/// The number of an annotator, who may be new.
pub(super) fn annotator_id(connection: &Connection, name: &str) -> Result<i64, StoreError> {
    let name = annotator_name(name).ok_or(StoreError::Name)?;
    connection.execute("INSERT INTO annotators (name) VALUES (?1) ON CONFLICT DO NOTHING", [name])?;
    Ok(connection.query_row("SELECT id FROM annotators WHERE name = ?1", [name], |row| row.get(0))?)
}

//! What models said.

use super::error::StoreError;
use super::ids::{DocumentId, RevisionId};
use super::open::Store;
use rusqlite::Connection;
use std::collections::BTreeMap;

/// What a model said of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Which model.
    pub model: String,
    /// Its answer, as the model's own program writes it.
    pub text: String,
}

impl Store {
    /// Keeps what a model said of revisions; what it said of them before is replaced.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn keep_answers(&mut self, model: &str, answers: &[(RevisionId, String)]) -> Result<(), StoreError> {
        let transaction = self.writing()?;
        {
            let mut statement = transaction.prepare_cached(
                "INSERT INTO predictions (revision, model, answer) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET answer = excluded.answer",
            )?;
            for (revision, answer) in answers {
                statement.execute((revision, model, answer))?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Revisions whose text changed and of which a model said nothing yet, with their texts; the first `most` of them.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn unanswered(
        &self,
        model: &str,
        document: Option<DocumentId>,
        most: usize,
    ) -> Result<Vec<(RevisionId, String, String)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, coalesce(original, ''), coalesce(revised, '') FROM revisions \
             WHERE gone_by IS NULL AND original IS NOT revised AND (?2 IS NULL OR document = ?2) \
             AND NOT EXISTS (SELECT 1 FROM predictions WHERE revision = revisions.id AND model = ?1) \
             ORDER BY id LIMIT ?3",
        )?;
        let rows = statement
            .query_map((model, document, most), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The answers of a model: to all revisions that are there, or to those of a document.
pub(super) fn answers(
    connection: &Connection,
    model: &str,
    document: Option<DocumentId>,
) -> Result<BTreeMap<RevisionId, Answer>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT revision, answer FROM predictions JOIN revisions ON revisions.id = revision \
         WHERE model = ?1 AND gone_by IS NULL AND (?2 IS NULL OR document = ?2)",
    )?;
    let answer =
        |row: &rusqlite::Row<'_>| Ok((row.get(0)?, Answer { model: model.to_owned(), text: row.get(1)? }));
    Ok(statement.query_map((model, document), answer)?.collect::<Result<_, _>>()?)
}

//! Sentences that a person joins or takes apart.

use super::act;
use super::error::StoreError;
use super::ids::{DocumentId, RevisionId};
use super::open::Store;
use super::revision_row;
use irtune_documents::Revision;
use rusqlite::OptionalExtension as _;

impl Store {
    /// Puts revisions of a document in the place of others: of one that was split, or of several that were joined.
    ///
    /// # Errors
    /// When one of them isn't there any more, the name is none, or SQLite fails.
    pub fn realign(
        &mut self,
        document: DocumentId,
        annotator: &str,
        gone: &[RevisionId],
        made: &[Revision],
    ) -> Result<Vec<RevisionId>, StoreError> {
        let transaction = self.writing()?;
        let kind = if gone.len() == 1 { "split" } else { "join" };
        let act = act::insert(&transaction, annotator, kind, gone.first().copied(), None)?;
        for &revision in gone {
            let there = "SELECT 1 FROM revisions WHERE id = ?1 AND document = ?2 AND gone_by IS NULL";
            if transaction.query_row(there, (revision, document), |_| Ok(())).optional()?.is_none() {
                return Err(StoreError::NoRevision(revision));
            }
            transaction.execute("UPDATE revisions SET gone_by = ?1 WHERE id = ?2", (act, revision))?;
        }
        let made: Result<_, _> = made
            .iter()
            .map(|revision| revision_row::insert(&transaction, document, revision, Some(act)))
            .collect();
        let made = made?;
        transaction.commit()?;
        Ok(made)
    }
}

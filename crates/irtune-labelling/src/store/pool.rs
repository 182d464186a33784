//! Pairs that were imported to be labelled.

use super::error::StoreError;
use super::ids::{PoolId, RevisionId};
use super::open::{Store, now_ms};
use irtune_documents::RevisionKind;
use rusqlite::Connection;

/// A pair to be labelled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolPair {
    /// The text before; empty for an addition.
    pub original: String,
    /// The text after; empty for a deletion.
    pub revised: String,
    /// The document that it comes from, if that is known.
    pub group: Option<String>,
    /// Its own name, if it has one.
    pub name: Option<String>,
}

/// A line of the list of pools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolEntry {
    /// Its number.
    pub id: PoolId,
    /// The file's name.
    pub name: String,
    /// Its pairs.
    pub pairs: usize,
    /// Those of them that somebody labelled.
    pub labelled: usize,
}

impl Store {
    /// Keeps pairs that are to be labelled; those whose texts are in the store already are left out. Says how many came in;
    /// where none did, no pool is made.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn add_pool(
        &mut self,
        name: &str,
        pairs: impl IntoIterator<Item = PoolPair>,
    ) -> Result<usize, StoreError> {
        let transaction = self.writing()?;
        transaction.execute("INSERT INTO pools (name, added_ms) VALUES (?1, ?2)", (name, now_ms()))?;
        let pool = PoolId(transaction.last_insert_rowid());
        let mut added = 0;
        // An index for the time of the import: else every pair would be looked for in the whole table.
        transaction.execute_batch("CREATE INDEX texts ON revisions(original, revised)")?;
        {
            let there = "SELECT 1 FROM revisions WHERE original IS ?1 AND revised IS ?2 AND gone_by IS NULL";
            let mut there = transaction.prepare_cached(there)?;
            for pair in pairs {
                if !there.exists((text(&pair.original), text(&pair.revised)))? {
                    add_revision(&transaction, pool, &pair)?;
                    added += 1;
                }
            }
        }
        transaction.execute_batch("DROP INDEX texts")?;
        if added > 0 {
            transaction.commit()?;
        }
        Ok(added)
    }

    /// All pools, the newest first.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn pools(&self) -> Result<Vec<PoolEntry>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, name, (SELECT count(*) FROM revisions WHERE pool = pools.id), \
             (SELECT count(*) FROM revisions WHERE pool = pools.id AND EXISTS (SELECT 1 FROM acts \
                WHERE acts.revision = revisions.id AND kind IN ('label', 'decide') AND undone_ms IS NULL)) \
             FROM pools ORDER BY id DESC",
        )?;
        let entry = |row: &rusqlite::Row<'_>| {
            Ok(PoolEntry { id: row.get(0)?, name: row.get(1)?, pairs: row.get(2)?, labelled: row.get(3)? })
        };
        Ok(statement.query_map([], entry)?.collect::<Result<_, _>>()?)
    }
}

/// A text of a pair as it is stored: nothing where there is none.
pub(super) fn text(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Adds a pair to a pool.
pub(super) fn add_revision(
    connection: &Connection,
    pool: PoolId,
    pair: &PoolPair,
) -> Result<RevisionId, StoreError> {
    let (original, revised) = (text(&pair.original), text(&pair.revised));
    let kind = match (original, revised) {
        (None, _) => RevisionKind::Added,
        (_, None) => RevisionKind::Deleted,
        _ => RevisionKind::Modified,
    };
    let mut statement = connection.prepare_cached(
        "INSERT INTO revisions (pool, name, group_name, kind, place, original, revised) VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
    )?;
    statement.execute((pool, &pair.name, &pair.group, kind.to_string(), original, revised))?;
    Ok(RevisionId(connection.last_insert_rowid()))
}

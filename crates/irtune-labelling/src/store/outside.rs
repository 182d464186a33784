//! What people say of pairs in another program, which tells of it.

use super::act::insert;
use super::error::StoreError;
use super::ids::{ActId, PoolId, RevisionId};
use super::open::{Store, now_ms};
use super::pool::{PoolPair, add_revision, text};
use rusqlite::{Connection, OptionalExtension as _};

/// What somebody said of a pair in another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideWord {
    /// What the program calls it: the same name again is the same word, changed.
    pub name: String,
    /// Who.
    pub annotator: String,
    /// The pair.
    pub pair: PoolPair,
    /// Its labels; nothing to pass.
    pub labels: Option<Vec<String>>,
}

impl Store {
    /// Keeps what was said of pairs in another program, `source`. A pair that is in the store already is that one, any other
    /// joins the pool that is called as the program.
    ///
    /// # Errors
    /// When a name is none, or SQLite fails; then nothing is kept.
    pub fn say_outside(&mut self, source: &str, words: &[OutsideWord]) -> Result<(), StoreError> {
        let transaction = self.writing()?;
        for word in words {
            let pair = &word.pair;
            let there = "SELECT id FROM revisions WHERE original IS ?1 AND revised IS ?2 AND gone_by IS NULL ORDER BY id";
            let there = transaction
                .prepare_cached(there)?
                .query_row((text(&pair.original), text(&pair.revised)), |row| row.get::<_, RevisionId>(0))
                .optional()?;
            let revision = match there {
                Some(revision) => revision,
                None => add_revision(&transaction, pool(&transaction, source)?, pair)?,
            };
            let kind = if word.labels.is_some() { "label" } else { "pass" };
            let act = insert(&transaction, &word.annotator, kind, Some(revision), word.labels.as_deref())?;
            transaction.execute(
                "INSERT INTO outside (act, source, name) VALUES (?1, ?2, ?3)",
                (act, source, &word.name),
            )?;
            // What it said before counts no more, whoever said it and of whichever pair.
            retract(&transaction, source, &word.name, Some(act))?;
        }
        Ok(transaction.commit()?)
    }

    /// Takes back what was said under these names in another program; says of how many there was something to take back.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn retract_outside(&mut self, source: &str, names: &[String]) -> Result<usize, StoreError> {
        let transaction = self.writing()?;
        let mut count = 0;
        for name in names {
            count += usize::from(retract(&transaction, source, name, None)? > 0);
        }
        transaction.commit()?;
        Ok(count)
    }
}

/// Undoes every act of a name but `kept`; says how many there were.
fn retract(
    connection: &Connection,
    source: &str,
    name: &str,
    kept: Option<ActId>,
) -> Result<usize, StoreError> {
    Ok(connection.execute(
        "UPDATE acts SET undone_ms = ?1 WHERE undone_ms IS NULL AND id IS NOT ?2 \
         AND id IN (SELECT act FROM outside WHERE source = ?3 AND name = ?4)",
        (now_ms(), kept, source, name),
    )?)
}

/// The pool of pairs that only the other program has, made where it isn't there.
fn pool(connection: &Connection, source: &str) -> Result<PoolId, StoreError> {
    let there = "SELECT id FROM pools WHERE name = ?1 ORDER BY id";
    if let Some(pool) = connection.query_row(there, [source], |row| row.get(0)).optional()? {
        return Ok(pool);
    }
    connection.execute("INSERT INTO pools (name, added_ms) VALUES (?1, ?2)", (source, now_ms()))?;
    Ok(PoolId(connection.last_insert_rowid()))
}

//! Everything that can be labelled, wherever it comes from.

use super::error::StoreError;
use super::ids::{DocumentId, PoolId, RevisionId};
use super::open::Store;
use super::prediction::{self, Answer};
use super::said::{self, Opinions};

/// Where a pair comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// Two drafts.
    Document(DocumentId),
    /// Imported pairs.
    Pool(PoolId),
}

/// A revision whose text changed, and what was said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its number.
    pub id: RevisionId,
    /// The text before; empty for an addition.
    pub original: String,
    /// The text after; empty for a deletion.
    pub revised: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The document it belongs to, which a hold-out doesn't cut; of an imported pair without one nothing.
    pub group: Option<String>,
    /// Its own name where it was imported with one.
    pub name: Option<String>,
    /// The heading that it stands under.
    pub section: Option<String>,
    /// What the model said that was asked.
    pub answer: Option<Answer>,
    /// What people said.
    pub opinions: Opinions,
}

impl Store {
    /// All revisions whose text changed, in the order in which they came; `model` is the one whose answers are wanted.
    ///
    /// # Errors
    /// When the store is damaged, or SQLite fails.
    pub fn items(&self, model: &str) -> Result<Vec<Item>, StoreError> {
        let mut answers = prediction::answers(&self.connection, model, None)?;
        let mut opinions = said::opinions(&self.connection, None)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT id, document, pool, coalesce(original, ''), coalesce(revised, ''), \
             coalesce(revised_section, original_section), group_name, name \
             FROM revisions WHERE gone_by IS NULL AND original IS NOT revised ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        let mut items = Vec::new();
        while let Some(row) = rows.next()? {
            let id: RevisionId = row.get(0)?;
            let (origin, group) = match (row.get(1)?, row.get(2)?) {
                (Some(document), _) => (Origin::Document(document), Some(format!("document {document}"))),
                (None, Some(pool)) => (Origin::Pool(pool), row.get(6)?),
                (None, None) => {
                    return Err(StoreError::Damaged { what: "revisions", found: id.to_string() });
                }
            };
            items.push(Item {
                id,
                original: row.get(3)?,
                revised: row.get(4)?,
                origin,
                group,
                name: row.get(7)?,
                section: row.get(5)?,
                answer: answers.remove(&id),
                opinions: opinions.remove(&id).unwrap_or_default(),
            });
        }
        Ok(items)
    }

    /// Everybody who ever did something, in the order in which they came.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn annotators(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM annotators ORDER BY id")?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }
}

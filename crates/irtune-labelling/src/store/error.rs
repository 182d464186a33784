//! What can be wrong with a store.

use super::ids::{DocumentId, ModelId, RevisionId};
use std::path::PathBuf;

/// The store can't do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file can't be opened, or is none of SQLite's.
    #[error("{} can't be opened as a store of labels: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A file of SQLite's that another program made.
    #[error("{} is a database of another program; name another folder", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file of a later version.
    #[error(
        "{} was written by a later version of irtune (its layout is {found}, this version knows {known}); use that version",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The latest layout that is known.
        known: i64,
    },
    /// SQLite failed: a full disk, or another program that keeps the file for long.
    #[error("the store of labels failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Something in it that can't be read.
    #[error("the store of labels is damaged: {what} holds {found:?}")]
    Damaged {
        /// What.
        what: &'static str,
        /// What stands there.
        found: String,
    },
    /// There are no such drafts.
    #[error("there is no document {0}")]
    NoDocument(DocumentId),
    /// There is no such revision, or it was split or joined since.
    #[error("there is no revision {0} any more; load the page again")]
    NoRevision(RevisionId),
    /// There is no such model.
    #[error("there is no model {0}")]
    NoModel(ModelId),
    /// A model that can't be decided about.
    #[error("model {0} isn't finished")]
    Unfinished(ModelId),
    /// A name that is none.
    #[error("a name has from 1 to {most} letters", most = super::act::LONGEST_NAME)]
    Name,
    /// Sentences that were split or joined again since.
    #[error("these sentences were split or joined again since; undo that first")]
    Superseded,
}

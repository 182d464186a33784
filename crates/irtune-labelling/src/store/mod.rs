//! What is to be labelled and what was said of it, in one SQLite file.
//!
//! | table | a row is |
//! |---|---|
//! | `annotators` | a person, by name |
//! | `documents`, `blocks` | two drafts, and their pieces of text |
//! | `pools` | a file of pairs that were imported to be labelled |
//! | `revisions` | what became of sentences of two drafts, or a pair of a pool |
//! | `predictions` | what a model said of a revision |
//! | `acts` | what a person did: said labels, passed, decided, split or joined. Nothing is overwritten: the latest counts, and what was undone says when |
//! | `outside` | which act another program told of, and what it calls it |
//! | `models` | a model that was trained on what the store holds |
//!
//! Every call that writes is a transaction that is on the disk when it returns (`synchronous=FULL` and a write-ahead log):
//! a program that is killed loses nothing that was answered.

mod act;
mod document;
mod error;
mod ids;
mod item;
mod model;
mod open;
mod outside;
mod pool;
mod prediction;
mod realign;
mod revision_row;
mod said;
mod schema;
#[cfg(test)]
mod tests;
mod training_pair;

pub use act::{LONGEST_NAME, annotator_name};
pub use document::{DocumentEntry, NewDocument, StoredDocument, StoredRevision};
pub use error::StoreError;
pub use ids::{ActId, DocumentId, ModelId, PoolId, RevisionId};
pub use item::{Item, Origin};
pub use model::{Decision, ModelState, StoredModel};
pub use open::Store;
pub use outside::OutsideWord;
pub use pool::{PoolEntry, PoolPair};
pub use prediction::Answer;
pub use said::{Opinions, Said};
pub use training_pair::{LabelKind, TrainingLabel, TrainingPair, json_lines};

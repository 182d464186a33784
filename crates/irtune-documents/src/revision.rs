//! What became of sentences from one draft to the next.

use crate::passage::Passage;
use strum::{Display, EnumString};

/// What became of sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum RevisionKind {
    /// Nothing: the same sentence stands at the same place.
    Unchanged,
    /// One sentence was changed.
    Modified,
    /// One sentence became several.
    Split,
    /// Several sentences became one.
    Joined,
    /// There is a new sentence.
    Added,
    /// A sentence is gone.
    Deleted,
    /// A sentence stands elsewhere, changed or not.
    Moved,
}

/// Sentences of the old draft and what stands for them in the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// What happened.
    pub kind: RevisionKind,
    /// In the old draft; nothing where it was added.
    pub original: Option<Passage>,
    /// In the new draft; nothing where it was deleted.
    pub revised: Option<Passage>,
    /// Where in the old draft's text it stands, or where what was added or moved here would stand, in characters.
    pub at: usize,
}

impl Revision {
    /// Whether both drafts have the same text there: nothing happened, or it only moved.
    pub fn has_same_text(&self) -> bool {
        match (&self.original, &self.revised) {
            (Some(original), Some(revised)) => original.text == revised.text,
            _ => false,
        }
    }
}

//! One revision: a text before and after, and where it comes from.

use crate::place::Place;
use crate::votes::Votes;

/// An original and a revised text, with what its row says about them.
///
/// One of the two texts may be empty: an addition has no original, a deletion no revised text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pair {
    /// The text before the revision.
    pub original: String,
    /// The text after the revision.
    pub revised: String,
    /// The intention, where the row names one.
    pub label: Option<String>,
    /// What each annotator said, where the row holds it; `label` is then their majority.
    pub votes: Option<Votes>,
    /// The document the pair comes from; a hold-out never separates the pairs of one document.
    pub group: Option<String>,
    /// The row's own name.
    pub id: Option<String>,
    /// Where the row stands.
    pub place: Place,
}

//! One revision: a text before and after, and where it comes from.

use crate::id::Id;
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
    /// All its labels, each once and in order, where it was read as one that can have several ([`Labels::Several`](crate::Labels)); it
    /// then has neither `label` nor `votes`.
    pub labels: Option<Vec<String>>,
    /// The document the pair comes from; a hold-out never separates the pairs of one document.
    pub group: Option<String>,
    /// The row's own name.
    pub id: Option<Id>,
    /// Where the row stands.
    pub place: Place,
}

impl Pair {
    /// The labels by which a draw keeps pairs in proportion: its label, or each of several. A pair without any has `None`
    /// as its only one.
    pub(crate) fn strata(&self) -> Vec<Option<&str>> {
        match self.labels.as_deref() {
            None | Some([]) => vec![self.label.as_deref()],
            Some(labels) => labels.iter().map(|label| Some(label.as_str())).collect(),
        }
    }

    /// The label in words, several joined by ` + `; `None` for a pair of which none is known.
    pub fn label_text(&self) -> Option<String> {
        match self.labels.as_deref() {
            None => self.label.clone(),
            Some([]) => Some("no label".to_owned()),
            Some(labels) => Some(labels.join(" + ")),
        }
    }
}

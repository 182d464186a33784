//! Which of its two texts a pair has.

use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use crate::pair::Pair;

/// Which of its two texts a pair has.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Display, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PairKind {
    /// The revised text alone.
    Added,
    /// The original text alone.
    Deleted,
    /// Both.
    #[default]
    Modified,
}

impl Pair {
    /// Which of its texts are there; a text of blanks is none.
    pub fn kind(&self) -> PairKind {
        match (self.original.trim().is_empty(), self.revised.trim().is_empty()) {
            (true, false) => PairKind::Added,
            (false, true) => PairKind::Deleted,
            _ => PairKind::Modified,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_blanks_is_none() {
        let kind = |original: &str, revised: &str| {
            Pair { original: original.to_owned(), revised: revised.to_owned(), ..Pair::default() }.kind()
        };
        assert_eq!(kind("", "New."), PairKind::Added);
        assert_eq!(kind("Old.", " \n"), PairKind::Deleted);
        assert_eq!(kind("Old.", "New."), PairKind::Modified);
        assert_eq!(PairKind::Added.to_string(), "added");
    }
}

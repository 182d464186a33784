//! A paragraph of a Word document as it is read, in both of its versions.

use crate::block::BlockKind;

/// A version of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// With every change rejected.
    Rejected,
    /// With every change accepted.
    Accepted,
}

pub(super) const VERSIONS: [Version; 2] = [Version::Rejected, Version::Accepted];

/// The text of a paragraph in both versions, and whether it ends there in each.
#[derive(Debug, Default)]
pub(super) struct Paragraph {
    pub kind: Option<BlockKind>,
    pub texts: [String; 2],
    /// Its mark was inserted: when rejected, the next paragraph continues it.
    pub mark_inserted: bool,
    /// Its mark was deleted: when accepted, the next paragraph continues it.
    pub mark_deleted: bool,
}

impl Paragraph {
    pub fn push(&mut self, text: &str, inserted: bool, deleted: bool) {
        for version in VERSIONS {
            let hidden = match version {
                Version::Rejected => inserted,
                Version::Accepted => deleted,
            };
            if !hidden {
                self.texts[version as usize].push_str(text);
            }
        }
    }

    pub fn ends(&self, version: Version) -> bool {
        match version {
            Version::Rejected => !self.mark_inserted,
            Version::Accepted => !self.mark_deleted,
        }
    }
}

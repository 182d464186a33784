//! Word documents, with their tracked changes.

mod body;
mod package;
mod paragraph;
#[cfg(test)]
mod tests;

use crate::document::Document;
use crate::error::DocumentError;
use package::Package;

/// A Word document before and after its tracked changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    /// As it reads when every change is rejected.
    pub rejected: Document,
    /// As it reads when every change is accepted.
    pub accepted: Document,
    /// Who made tracked changes, in the order in which they first appear.
    pub authors: Vec<String>,
    /// How many insertions, deletions and moves are marked.
    pub changes: usize,
}

/// Both drafts in a Word document: body, footnotes and endnotes. Headers, footers, comments and what fields compute by are
/// no part of them; of a text box that stands in two versions for old and new programs, the new one is read.
///
/// # Errors
/// When it is no such document; `name` is what the error calls it.
///
/// # Source
/// ECMA-376 part 1, §17.13.5 (revisions). pandoc's `--track-changes` reads the same two drafts.
pub fn read_tracked(name: &str, bytes: &[u8]) -> Result<Tracked, DocumentError> {
    let mut package = Package::open(name, bytes)?;
    let mut reader = body::Reader::default();
    for part in package.text_parts()? {
        let xml = package.part(&part)?;
        reader.read(&xml).map_err(|(at, source)| DocumentError::Xml {
            name: name.to_owned(),
            part,
            at,
            source,
        })?;
    }
    Ok(reader.finish())
}

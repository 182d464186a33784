//! Which sentences of two drafts belong together.

mod anchors;
mod elsewhere;
mod guide;
mod moves;
mod path;
mod similarity;
#[cfg(test)]
mod tests;
mod unit;

use crate::document::Document;
use crate::passage::Passage;
use crate::revision::{Revision, RevisionKind};
use elsewhere::Elsewhere;
use similarity::Words;
use std::ops::Range;
use unit::{Unit, units};

/// Sentences of both drafts that belong together: ranges of their numbers, one of them possibly empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pairing {
    old: Range<usize>,
    new: Range<usize>,
}

/// The sentences of both drafts, and what is known of them.
#[derive(Clone, Copy)]
struct Drafts<'a> {
    old: &'a [Unit<'a>],
    new: &'a [Unit<'a>],
    words: &'a Words,
    elsewhere: &'a Elsewhere,
    /// Whether anybody waits for the answer.
    goes_on: &'a dyn Fn() -> bool,
}

/// What became of the old draft's sentences in the new one, in the order of the new draft; what was deleted stands where it
/// was.
///
/// Sentences that occur in both drafts in the same order are anchors. Between two anchors, dynamic programming finds the
/// pairing of least cost: up to three sentences of a block against one, or none. Then what was deleted here and added there
/// in the same words has moved. A long stretch without anchors is searched along a line through sentences that share rare
/// words, so the cost is linear in the drafts' length.
pub fn align(old: &Document, new: &Document) -> Vec<Revision> {
    align_while(old, new, &|| true).unwrap_or_default()
}

/// As [`align`], as long as `goes_on` says so; nothing once it doesn't.
pub fn align_while(old: &Document, new: &Document, goes_on: &dyn Fn() -> bool) -> Option<Vec<Revision>> {
    let (old_units, new_units) = (units(old), units(new));
    let words = Words::of(&old_units, &new_units);
    let mut pairings = Vec::new();
    let mut at = (0, 0);
    let anchors = anchors::anchors(&old_units, &new_units);
    let elsewhere = Elsewhere::find(&old_units, &new_units, &anchors);
    let drafts = Drafts { old: &old_units, new: &new_units, words: &words, elsewhere: &elsewhere, goes_on };
    for anchor in anchors {
        path::pair(drafts, at.0..anchor.old.start, at.1..anchor.new.start, &mut pairings)?;
        let same = anchor.old.clone().zip(anchor.new.clone());
        pairings.extend(same.map(|(old, new)| Pairing { old: old..old + 1, new: new..new + 1 }));
        at = (anchor.old.end, anchor.new.end);
    }
    path::pair(drafts, at.0..old_units.len(), at.1..new_units.len(), &mut pairings)?;
    let moves = moves::find(&old_units, &new_units, &words, &pairings);
    let (old, new) = (Side::new(old, &old_units), Side::new(new, &new_units));
    let mut revisions = Vec::new();
    for (index, pairing) in pairings.iter().enumerate() {
        if moves.is_source(index) {
            continue;
        }
        let (moved, from) = match moves.source_of(index) {
            Some(source) => (true, pairings[source].old.clone()),
            None => (false, pairing.old.clone()),
        };
        let (original, revised) = (old.passage(&from), new.passage(&pairing.new));
        let at = if moved { None } else { original.as_ref().map(|original| original.span.start) };
        let at = at.unwrap_or_else(|| old.end_before(pairing.old.start));
        let mut revision = Revision { kind: kind(pairing), original, revised, at };
        if moved {
            revision.kind = RevisionKind::Moved;
        } else if revision.has_same_text() {
            revision.kind = RevisionKind::Unchanged;
        }
        revisions.push(revision);
    }
    Some(revisions)
}

fn kind(pairing: &Pairing) -> RevisionKind {
    match (pairing.old.len(), pairing.new.len()) {
        (0, _) => RevisionKind::Added,
        (_, 0) => RevisionKind::Deleted,
        (1, 1) => RevisionKind::Modified,
        (1, _) => RevisionKind::Split,
        _ => RevisionKind::Joined,
    }
}

/// A draft, to take passages of it.
struct Side<'a> {
    document: &'a Document,
    units: &'a [Unit<'a>],
    starts: Vec<usize>,
    sections: Vec<Option<&'a str>>,
}

impl<'a> Side<'a> {
    fn new(document: &'a Document, units: &'a [Unit<'a>]) -> Self {
        Side { document, units, starts: document.starts(), sections: document.sections() }
    }

    /// Where the sentence before a sentence ends, in characters of the whole text.
    fn end_before(&self, unit: usize) -> usize {
        let before = unit.checked_sub(1).and_then(|before| self.passage(&(before..unit)));
        before.map_or(0, |before| before.span.end)
    }

    fn passage(&self, range: &Range<usize>) -> Option<Passage> {
        let (first, last) = (self.units.get(range.start)?, self.units[range.clone()].last()?);
        let text = &self.document.blocks[first.block].text;
        let own = &text[first.range.start..last.range.end];
        let start = self.starts[first.block] + text[..first.range.start].chars().count();
        let section = self.sections[first.block].map(str::to_owned);
        let span = start..start + own.chars().count();
        Some(Passage { text: own.to_owned(), span, block: first.block, section })
    }
}

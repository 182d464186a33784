//! An alignment that a person corrects.

use crate::document::Document;
use crate::passage::Passage;
use crate::revision::{Revision, RevisionKind};
use crate::sentences::sentences;

/// Sentences that can't be joined or taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RealignError {
    /// Sentences of one draft that have others, or the end of a paragraph, between them.
    #[error("only sentences that follow each other in one paragraph can be joined")]
    Apart,
    /// One sentence of one draft.
    #[error("one sentence by itself can't be taken apart")]
    Single,
}

/// One revision of two: their sentences of the old draft belong to their sentences of the new one. `others` are the
/// document's other revisions; where their order is another in the two drafts, it has moved.
///
/// # Errors
/// When both have sentences in a draft that don't follow each other there.
pub fn join(
    (old, new): (&Document, &Document),
    (first, second): (&Revision, &Revision),
    others: &[&Revision],
) -> Result<Revision, RealignError> {
    let original = joined(old, first.original.as_ref(), second.original.as_ref())?;
    let revised = joined(new, first.revised.as_ref(), second.revised.as_ref())?;
    let counts = [&original, &revised].map(|side| side.as_ref().map_or(0, count));
    let crosses = |other: &&Revision| {
        let starts = |revision: &Revision| {
            let (original, revised) = (revision.original.as_ref()?, revision.revised.as_ref()?);
            Some((original.span.start, revised.span.start))
        };
        let (Some(own), Some(other_starts)) = (
            original.as_ref().zip(revised.as_ref()).map(|(one, two)| (one.span.start, two.span.start)),
            starts(other),
        ) else {
            return false;
        };
        other.kind != RevisionKind::Moved && (own.0 < other_starts.0) != (own.1 < other_starts.1)
    };
    let moved = others.iter().any(crosses);
    let at = match &original {
        Some(original) if !moved => original.span.start,
        _ => {
            if first.revised.is_some() {
                first.at
            } else {
                second.at
            }
        }
    };
    let mut revision = Revision { kind: RevisionKind::Modified, original, revised, at };
    revision.kind = match counts {
        [0, _] => RevisionKind::Added,
        [_, 0] => RevisionKind::Deleted,
        _ if moved => RevisionKind::Moved,
        _ if revision.has_same_text() => RevisionKind::Unchanged,
        [1, 1] => RevisionKind::Modified,
        [1, _] => RevisionKind::Split,
        _ => RevisionKind::Joined,
    };
    Ok(revision)
}

/// A revision taken apart: each of its sentences by itself, deleted or added.
///
/// # Errors
/// When it is one sentence of one draft.
pub fn take_apart(
    (old, new): (&Document, &Document),
    revision: &Revision,
) -> Result<Vec<Revision>, RealignError> {
    let cut = |document: &Document, passage: &Option<Passage>| {
        passage.as_ref().map_or_else(Vec::new, |passage| singles(document, passage))
    };
    let (gone, came) = (cut(old, &revision.original), cut(new, &revision.revised));
    if gone.len() + came.len() < 2 {
        return Err(RealignError::Single);
    }
    let after = match revision.kind {
        RevisionKind::Moved => revision.at,
        _ => gone.last().map_or(revision.at, |passage| passage.span.end),
    };
    let deleted = gone.into_iter().map(|passage| {
        let at = passage.span.start;
        Revision { kind: RevisionKind::Deleted, original: Some(passage), revised: None, at }
    });
    let deleted: Vec<Revision> = deleted.collect();
    let added = came.into_iter().map(|passage| Revision {
        kind: RevisionKind::Added,
        original: None,
        revised: Some(passage),
        at: after,
    });
    Ok(deleted.into_iter().chain(added).collect())
}

/// The order of revisions, as [`align`](crate::align) has it: that of the new draft, and what was deleted stands where it
/// was.
pub fn in_order<'a>(revisions: impl IntoIterator<Item = &'a Revision>) -> Vec<usize> {
    let revisions: Vec<&Revision> = revisions.into_iter().collect();
    let start = |place: usize| revisions[place].revised.as_ref().map(|passage| passage.span.start);
    let old_start = |place: usize| revisions[place].original.as_ref().map(|passage| passage.span.start);
    let (mut order, mut deleted): (Vec<usize>, Vec<usize>) =
        (0..revisions.len()).partition(|&place| start(place).is_some());
    order.sort_by_key(|&place| start(place));
    deleted.sort_by_key(|&place| old_start(place));
    // What stayed in place is in the old draft's order too: what was deleted follows the last of it that stands before.
    let mut deleted = deleted.into_iter().peekable();
    let fixed = |place: &usize| revisions[*place].kind != RevisionKind::Moved && old_start(*place).is_some();
    let mut ahead = order.iter().copied().filter(fixed).peekable();
    let mut merged = Vec::with_capacity(revisions.len());
    for place in std::iter::once(None).chain(order.iter().copied().map(Some)) {
        merged.extend(place);
        if place.is_some_and(|place| ahead.next_if_eq(&place).is_none()) {
            continue;
        }
        let until = ahead.peek().map(|&next| old_start(next));
        while let Some(earlier) = deleted.next_if(|&own| until.is_none_or(|until| old_start(own) < until)) {
            merged.push(earlier);
        }
    }
    merged
}

/// Sentences of a passage.
fn count(passage: &Passage) -> usize {
    sentences(&passage.text).len().max(1)
}

/// Both passages as one.
fn joined(
    document: &Document,
    first: Option<&Passage>,
    second: Option<&Passage>,
) -> Result<Option<Passage>, RealignError> {
    let (Some(first), Some(second)) = (first, second) else {
        return Ok(first.or(second).cloned());
    };
    let (first, second) =
        if first.span.start < second.span.start { (first, second) } else { (second, first) };
    if first.block != second.block || second.span.start < first.span.end {
        return Err(RealignError::Apart);
    }
    let start = document.starts()[first.block];
    let text = |range: std::ops::Range<usize>| -> String {
        let text = document.blocks[first.block].text.chars();
        text.skip(range.start - start).take(range.len()).collect()
    };
    if !text(first.span.end..second.span.start).trim().is_empty() {
        return Err(RealignError::Apart);
    }
    let span = first.span.start..second.span.end;
    Ok(Some(Passage { text: text(span.clone()), span, ..first.clone() }))
}

/// Each sentence of a passage by itself; a heading is one.
fn singles(document: &Document, passage: &Passage) -> Vec<Passage> {
    if document.blocks[passage.block].kind == crate::block::BlockKind::Heading {
        return vec![passage.clone()];
    }
    let own = |range: std::ops::Range<usize>| {
        let start = passage.span.start + passage.text[..range.start].chars().count();
        let text = passage.text[range].to_owned();
        let span = start..start + text.chars().count();
        Passage { text, span, ..passage.clone() }
    };
    sentences(&passage.text).into_iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, align, read};

    fn drafts(old: &str, new: &str) -> (Document, Document) {
        let read = |text: &str| read("draft.md", text.as_bytes(), Format::Markdown).unwrap();
        (read(old), read(new))
    }

    fn kinds(revisions: &[Revision]) -> Vec<RevisionKind> {
        revisions.iter().map(|revision| revision.kind).collect()
    }

    const OLD: &str = "It is late. Every boat came home before the storm began. The end is here.";
    const NEW: &str = "It is late. Nobody sailed. Weather stopped all ships. The end is here.";

    #[test]
    fn what_belongs_together_is_joined_and_taken_apart_again() {
        let (old, new) = drafts(OLD, NEW);
        let revisions = align(&old, &new);
        let order = in_order(&revisions);
        assert_eq!(order, (0..revisions.len()).collect::<Vec<_>>());
        use RevisionKind::{Added, Deleted, Split, Unchanged};
        assert_eq!(kinds(&revisions), [Unchanged, Deleted, Added, Added, Unchanged]);
        let both = (&old, &new);
        let added = join(both, (&revisions[3], &revisions[2]), &[]).unwrap();
        assert_eq!(added.revised.as_ref().unwrap().text, "Nobody sailed. Weather stopped all ships.");
        let others = [&revisions[0], &revisions[4]];
        let one = join(both, (&added, &revisions[1]), &others).unwrap();
        assert_eq!((one.kind, one.at), (Split, revisions[1].at));
        let apart = take_apart(both, &one).unwrap();
        let texts = |revisions: &[Revision]| {
            revisions.iter().map(|own| (own.original.clone(), own.revised.clone())).collect::<Vec<_>>()
        };
        assert_eq!(texts(&apart), texts(&revisions[1..4]));
        assert_eq!(take_apart(both, &revisions[2]), Err(RealignError::Single));
        assert_eq!(join(both, (&revisions[0], &revisions[4]), &[]), Err(RealignError::Apart));
        // In whatever order they are kept, they come back in the draft's.
        let all: Vec<Revision> =
            apart.into_iter().rev().chain([revisions[4].clone(), revisions[0].clone()]).collect();
        let ordered: Vec<Revision> = in_order(&all).into_iter().map(|place| all[place].clone()).collect();
        assert_eq!(texts(&ordered), texts(&revisions));
    }

    #[test]
    fn what_stands_in_another_order_has_moved() {
        let (old, new) = drafts("Red roses bloom. It is late.", "It is late. Blue violets wither.");
        let revisions = align(&old, &new);
        use RevisionKind::{Added, Deleted, Moved, Unchanged};
        assert_eq!(kinds(&revisions), [Deleted, Unchanged, Added]);
        let one = join((&old, &new), (&revisions[0], &revisions[2]), &[&revisions[1]]).unwrap();
        assert_eq!((one.kind, one.at), (Moved, revisions[2].at));
        let apart = take_apart((&old, &new), &one).unwrap();
        assert_eq!(apart, [revisions[0].clone(), revisions[2].clone()]);
    }
}

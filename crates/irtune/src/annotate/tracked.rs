//! An annotation as a Word document with tracked changes and comments.

use super::pieces::pieces;
use super::{Annotated, Annotation};
use irtune_documents::{BlockKind, Item, Passage, Piece, RevisionKind, write_tracked};

/// Who makes the changes and comments.
const AUTHOR: &str = "irtune";

/// The document.
pub(super) fn document(annotation: &Annotation) -> Vec<u8> {
    // What moved is taken out at one place and put in at the other.
    let mut placed: Vec<(Option<usize>, Item<'_>)> = Vec::new();
    let mut taken_out: Vec<(usize, Item<'_>)> = Vec::new();
    for own in &annotation.revisions {
        let (original, revised) = (own.revision.original.as_ref(), own.revision.revised.as_ref());
        match (own.revision.kind, original) {
            (RevisionKind::Moved, Some(passage)) => {
                let away = item(annotation, Some(passage), None, vec![Piece::Removed(&passage.text)], None);
                taken_out.push((passage.span.start, away));
                let text = revised.map_or("", |passage| passage.text.as_str());
                placed.push((
                    None,
                    item(annotation, None, revised, vec![Piece::Added(text)], Some(comment(own))),
                ));
            }
            (kind, _) => {
                let (before, after) = own.texts();
                let said = (kind != RevisionKind::Unchanged).then(|| comment(own));
                let item = item(annotation, original, revised, pieces(before, after), said);
                placed.push((original.map(|passage| passage.span.start), item));
            }
        }
    }
    for (start, away) in taken_out {
        let earlier = |(at, _): &(Option<usize>, Item<'_>)| at.is_some_and(|at| at < start);
        let place = placed.iter().rposition(earlier).map_or(0, |place| place + 1);
        placed.insert(place, (Some(start), away));
    }
    let items: Vec<Item<'_>> = placed.into_iter().map(|(_, item)| item).collect();
    write_tracked(&items, AUTHOR)
}

fn item<'a>(
    annotation: &Annotation,
    original: Option<&Passage>,
    revised: Option<&Passage>,
    pieces: Vec<Piece<'a>>,
    comment: Option<String>,
) -> Item<'a> {
    let (old_block, new_block) =
        (original.map(|passage| passage.block), revised.map(|passage| passage.block));
    let old = old_block.map(|block| annotation.old.blocks[block].kind);
    let kind =
        new_block.map(|block| annotation.new.blocks[block].kind).or(old).unwrap_or(BlockKind::Paragraph);
    Item { kind, old_block, new_block, pieces, comment }
}

/// What is said of a revision: its kind and, where it has one, its intention with the probability.
fn comment(own: &Annotated) -> String {
    let kind = own.revision.kind;
    own.told().map_or_else(|| kind.to_string(), |told| format!("{told} ({kind})"))
}

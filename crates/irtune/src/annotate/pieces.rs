//! A revision's texts, cut where they differ.

use irtune_data::Change;
use irtune_documents::Piece;
use maud::{Markup, html};

/// A draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// That before.
    Old,
    /// That after.
    New,
}

/// The stretches of both texts in their order; what was removed stands before what took its place.
pub fn pieces<'a>(original: &'a str, revised: &'a str) -> Vec<Piece<'a>> {
    let change = Change::of(original, revised);
    let mut pieces = Vec::new();
    let mut at = 0;
    for hunk in change.hunks() {
        pieces.push(Piece::Same(&revised[at..hunk.added.start]));
        pieces.push(Piece::Removed(change.removed(hunk)));
        pieces.push(Piece::Added(change.added(hunk)));
        at = hunk.added.end;
    }
    pieces.push(Piece::Same(&revised[at..]));
    pieces.retain(|piece| match piece {
        Piece::Same(text) | Piece::Removed(text) | Piece::Added(text) => !text.is_empty(),
    });
    pieces
}

/// Both texts in one, `[-old-]{+new+}` where they differ.
pub fn marked(original: &str, revised: &str) -> String {
    let write = |piece: Piece<'_>| match piece {
        Piece::Same(text) => text.to_owned(),
        Piece::Removed(text) => format!("[-{text}-]"),
        Piece::Added(text) => format!("{{+{text}+}}"),
    };
    pieces(original, revised).into_iter().map(write).collect()
}

/// The text as the drafts on these sides have it, what changed marked.
pub fn changes(pieces: &[Piece<'_>], sides: &[Side]) -> Markup {
    html! {
        @for piece in pieces { @match piece {
            Piece::Same(text) => { (text) }
            Piece::Removed(text) => @if sides.contains(&Side::Old) { del { (text) } },
            Piece::Added(text) => @if sides.contains(&Side::New) { ins { (text) } },
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_texts_can_be_put_together_again() {
        let (original, revised) = ("He go home now.", "He goes home, now!");
        let side = |left: bool| -> String {
            let text = |piece: &Piece<'_>| match *piece {
                Piece::Same(text) => text.to_owned(),
                Piece::Removed(text) => {
                    if left {
                        text.to_owned()
                    } else {
                        String::new()
                    }
                }
                Piece::Added(text) => {
                    if left {
                        String::new()
                    } else {
                        text.to_owned()
                    }
                }
            };
            pieces(original, revised).iter().map(text).collect()
        };
        assert_eq!((side(true).as_str(), side(false).as_str()), (original, revised));
        assert_eq!(marked("He go.", "He goes."), "He [-go-]{+goes+}.");
        assert_eq!((marked("", "New."), marked("Old.", "")), ("{+New.+}".into(), "[-Old.-]".into()));
    }
}

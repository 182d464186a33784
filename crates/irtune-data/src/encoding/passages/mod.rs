//! The texts that fill a prompt's places, whole or with something left out.

pub(crate) mod budget;
pub(crate) mod passage;
pub(crate) mod stretch;
mod writer;

use budget::{Budget, Kept};
use passage::Passage;
use stretch::Stretch;
pub(crate) use writer::ELLIPSIS;
use writer::Writer;

use super::change::Change;
use super::change::units::LONGEST_UNIT;

/// What separates the texts of different hunks.
const SEPARATOR: &str = " | ";

/// A pair's texts as a prompt shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passages {
    /// The original text, `{original}`.
    pub(crate) original: Passage,
    /// The revised text, `{revised}`.
    pub(crate) revised: Passage,
    /// The texts that the hunks remove, `{removed}`.
    pub(crate) removed: Passage,
    /// The texts that the hunks add, `{added}`.
    pub(crate) added: Passage,
    /// Both texts in one, with marks around what changed, `{marked}`.
    pub(crate) marked: Passage,
}

impl Passages {
    /// Of a whole pair.
    pub(crate) fn whole(original: &str, revised: &str) -> Passages {
        let change = Change::of(original, revised);
        let stretches = stretch::stretches(&change, LONGEST_UNIT);
        Passages::within(&stretches, Budget::EVERYTHING)
    }

    /// Of a pair of which a budget says what to keep.
    pub(crate) fn within(stretches: &[Stretch<'_>], budget: Budget) -> Passages {
        let kept = budget.choose(stretches);
        let (mut original, mut revised, mut marked) =
            (Writer::default(), Writer::default(), Writer::default());
        let (mut removed, mut added) = (Writer::default(), Writer::default());
        for (stretch, kept) in stretches.iter().zip(&kept) {
            match stretch {
                Stretch::Unchanged { units, .. } => {
                    original.write(units, &kept.original);
                    revised.write(units, &kept.revised);
                    let both: Vec<bool> =
                        kept.original.iter().zip(&kept.revised).map(|(a, b)| *a && *b).collect();
                    marked.write(units, &both);
                }
                Stretch::Hunk { removed: old, added: new } => {
                    original.write_removed(old, &kept.original);
                    revised.write_added(new, &kept.revised);
                    mark(&mut marked, (old, new), kept);
                    list(&mut removed, old, &kept.original, Writer::write_removed);
                    list(&mut added, new, &kept.revised, Writer::write_added);
                }
            }
        }
        Passages {
            original: original.finish(),
            revised: revised.finish(),
            removed: removed.finish(),
            added: added.finish(),
            marked: marked.finish(),
        }
    }
}

/// Writes a hunk between its marks, `[-old-]{+new+}`; one of which nothing is kept is left out like other text.
fn mark(marked: &mut Writer, (removed, added): (&[&str], &[&str]), kept: &Kept) {
    let any = |kept: &[bool]| kept.contains(&true);
    if !any(&kept.original) && !any(&kept.revised) {
        marked.gap();
        return;
    }
    if !removed.is_empty() {
        marked.fixed("[-");
        marked.write_removed(removed, &kept.original);
        marked.fixed("-]");
    }
    if !added.is_empty() {
        marked.fixed("{+");
        marked.write_added(added, &kept.revised);
        marked.fixed("+}");
    }
}

/// Adds a hunk's text to a list, without the blanks around it; hunks of blanks are left out, and those that follow each
/// other and of which nothing is kept are one ellipsis.
fn list(list: &mut Writer, units: &[&str], kept: &[bool], write: fn(&mut Writer, &[&str], &[bool])) {
    let blank = |unit: &&&str| unit.trim().is_empty();
    let before = units.iter().take_while(blank).count();
    if before == units.len() {
        return;
    }
    let after = units.iter().rev().take_while(blank).count();
    let within = before..units.len() - after;
    let nothing = !kept[within.clone()].contains(&true);
    if nothing && list.is_in_gap() {
        return;
    }
    if !list.is_empty() {
        list.fixed(SEPARATOR);
    }
    write(list, &units[within.clone()], &kept[within]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(original: &str, revised: &str) -> [String; 3] {
        let passages = Passages::whole(original, revised);
        assert_eq!((passages.original.text.as_str(), passages.revised.text.as_str()), (original, revised));
        [passages.removed.text, passages.added.text, passages.marked.text]
    }

    #[test]
    fn hunks_are_listed_without_blanks_and_marked_with_them() {
        assert_eq!(
            texts("The old cat  sat on a mat.", "The cat sat on the mat!"),
            ["old | a | .", "the | !", "The [-old -]cat [- -]sat on [-a-]{+the+} mat[-.-]{+!+}"]
        );
        assert_eq!(texts("", "All new."), ["", "All new.", "{+All new.+}"]);
        assert_eq!(texts("same", "same"), ["", "", "same"]);
    }

    #[test]
    fn what_changed_is_known_in_every_passage() {
        let passages = Passages::whole("a old  cat", "a cat here");
        let of = |passage: &Passage| {
            let texts = |ranges: &[std::ops::Range<usize>]| {
                ranges.iter().map(|range| passage.text[range.clone()].to_owned()).collect::<Vec<_>>()
            };
            (texts(&passage.removed), texts(&passage.added))
        };
        let (removed, added) = (vec!["old".to_owned()], vec!["here".to_owned()]);
        assert_eq!(of(&passages.original), (removed.clone(), vec![]));
        assert_eq!(of(&passages.revised), (vec![], added.clone()));
        assert_eq!(of(&passages.removed), (removed.clone(), vec![]));
        assert_eq!(of(&passages.added), (vec![], added.clone()));
        assert_eq!(passages.marked.text, "a [-old  -]cat{+ here+}");
        assert_eq!(of(&passages.marked), (removed, added));
        let blanks = Passages::whole("a  b", "a b");
        assert_eq!(of(&blanks.original).0, [" "]);
    }
}

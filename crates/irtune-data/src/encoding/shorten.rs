//! Makes a pair shorter around what changed.

use super::change::Change;
use super::change::units::LONGEST_UNIT;
use super::passages::Passages;
use super::passages::budget::Budget;
use super::passages::stretch::{Stretch, stretches};

/// The longest version of the pair that `fits`, both texts cut alike.
///
/// The common beginning and end of both texts go first, from the outside in; then what is the same in both texts between
/// the first and the last change. When the changed words alone are still too long, the longest hunks are cut in the
/// middle, and at last either text as a whole, the longer one first. `None` when not even one character a side fits.
///
/// # Errors
/// Those of `fits`.
pub(crate) fn shorten<E>(
    original: &str,
    revised: &str,
    mut fits: impl FnMut(&Passages) -> Result<bool, E>,
) -> Result<Option<Passages>, E> {
    type Stage = fn(usize) -> Budget;
    const NO_CONTEXT: Budget = Budget { outside: 0, between: 0, ..Budget::EVERYTHING };
    let outside: Stage = |units| Budget { outside: units, ..Budget::EVERYTHING };
    let between: Stage = |units| Budget { outside: 0, between: units, ..Budget::EVERYTHING };
    let hunk: Stage = |units| Budget { hunk: units, ..NO_CONTEXT };
    let side: Stage = |units| Budget { side: units, ..NO_CONTEXT };
    let change = Change::of(original, revised);
    for (longest, stages) in [
        (LONGEST_UNIT, &[(0, outside), (0, between), (1, hunk), (1, side)][..]),
        // Not one word a side fits: cut inside words.
        (1, &[(1, side)][..]),
    ] {
        let stretches = stretches(&change, longest);
        let most = stretches.iter().map(units).sum();
        for &(least, stage) in stages {
            let passages = |units| Passages::within(&stretches, stage(units));
            if let Some(units) = largest(least, most, |units| fits(&passages(units)))? {
                return Ok(Some(passages(units)));
            }
        }
    }
    Ok(None)
}

/// Units of a stretch in the text that has more of them.
fn units(stretch: &Stretch<'_>) -> usize {
    match stretch {
        Stretch::Unchanged { units, .. } => units.len(),
        Stretch::Hunk { removed, added } => removed.len().max(added.len()),
    }
}

/// The largest number from `least` to `most` found to fit: doubled until it no longer does, then halved between, so
/// that no text much longer than the limit is tried.
fn largest<E>(
    least: usize,
    most: usize,
    mut fits: impl FnMut(usize) -> Result<bool, E>,
) -> Result<Option<usize>, E> {
    if !fits(least)? {
        return Ok(None);
    }
    let (mut good, mut bad) = (least, most + 1);
    let mut step = 1;
    while good + step < bad {
        if fits(good + step)? {
            good += step;
            step *= 2;
        } else {
            bad = good + step;
        }
    }
    while good + 1 < bad {
        let middle = good + (bad - good) / 2;
        if fits(middle)? { good = middle } else { bad = middle }
    }
    Ok(Some(good))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Shortens until what a function takes of the passages has few enough characters.
    fn shortened(
        characters: usize,
        original: &str,
        revised: &str,
        of: fn(&Passages) -> String,
    ) -> Option<Passages> {
        let fits = |passages: &Passages| Ok::<_, Infallible>(of(passages).chars().count() <= characters);
        let Ok(shortened) = shorten(original, revised, fits);
        shortened
    }

    /// Shortens to a number of characters, both sides together.
    fn to(characters: usize, original: &str, revised: &str) -> Option<(String, String)> {
        let both = |passages: &Passages| passages.original.text.clone() + &passages.revised.text;
        let passages = shortened(characters, original, revised, both)?;
        Some((passages.original.text, passages.revised.text))
    }

    fn strings(original: &str, revised: &str) -> Option<(String, String)> {
        Some((original.to_owned(), revised.to_owned()))
    }

    #[test]
    fn the_common_ends_go_first_alike_on_both_sides() {
        let original = "We saw at once that the old results were weak and left it there";
        let revised = "We saw at once that the new findings were weak and left it there";
        assert_eq!(to(200, original, revised), strings(original, revised));
        assert_eq!(
            to(60, original, revised),
            strings("… the old results were …", "… the new findings were …")
        );
        assert_eq!(to(30, original, revised), strings("…old results…", "…new findings…"));
    }

    #[test]
    fn a_change_at_the_edge_keeps_its_context_on_the_other_side() {
        let shortened = to(24, "Then they all went home", "Now they all went home");
        assert_eq!(shortened, strings("Then they …", "Now they …"));
    }

    #[test]
    fn the_same_words_between_two_changes_go_before_changed_ones() {
        let same = "the long middle of the sentence that nobody ever touched at all";
        let (original, revised) = (format!("Old {same} end"), format!("New {same} stop"));
        assert_eq!(to(18, &original, &revised), strings("Old…end", "New…stop"));
    }

    #[test]
    fn changed_words_are_cut_in_the_middle_the_longer_side_first() {
        let revised = "one two three four five six seven";
        assert_eq!(to(22, "uno dos", revised), strings("uno dos", "one two… seven"));
    }

    #[test]
    fn long_hunks_are_cut_before_short_ones_go() {
        let (original, revised) = ("x a b y", "1 2 3 4 5 6 7 a b z");
        assert_eq!(to(22, original, revised), strings("x a b y", "1 2 … 6 7 a b z"));
    }

    #[test]
    fn marked_text_keeps_its_hunks_and_what_is_around_them() {
        let original = "We saw at once that the old results were weak and left it there";
        let revised = "We saw at once that the new findings were weak and left it there";
        let marked = |characters| {
            let passages = shortened(characters, original, revised, |passages| passages.marked.text.clone());
            passages.map(|passages| passages.marked.text)
        };
        assert_eq!(marked(48).unwrap(), "… the [-old results-]{+new findings+} were …");
        assert_eq!(marked(33).unwrap(), "…[-old results-]{+new findings+}…");
        assert_eq!(marked(26).unwrap(), "…[-old…-]{+new…+}…");
        assert_eq!(marked(8), None);
    }

    #[test]
    fn lists_are_cut_inside_their_longest_hunks() {
        let lists = |passages: &Passages| format!("{}/{}", passages.removed.text, passages.added.text);
        let of = |characters| {
            let (original, revised) = ("a one two three four b five c", "a 1 b 5 c");
            shortened(characters, original, revised, lists).map(|passages| lists(&passages))
        };
        assert_eq!(of(40).unwrap(), "one two three four | five/1 | 5");
        assert_eq!(of(25).unwrap(), "one … four | five/1 | 5");
        assert_eq!(of(12).unwrap(), "one…/1 | …");
    }

    #[test]
    fn a_single_long_word_is_cut_inside() {
        assert_eq!(to(5, "", "abcdefghijklmnop"), strings("", "ab…op"));
        assert_eq!(to(2, "", "abcdefghijklmnop"), strings("", "a…"));
        assert_eq!(to(1, "", "abcdefghijklmnop"), None);
    }

    #[test]
    fn equal_texts_keep_their_ends() {
        assert_eq!(to(16, "one two three four", "one two three four"), strings("one…four", "one…four"));
    }
}

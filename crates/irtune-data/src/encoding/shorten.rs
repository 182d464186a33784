//! Makes both sides of a pair shorter around what changed.

use super::change::{Place, Unit, compare};

/// What stands where something was left out.
pub(crate) const ELLIPSIS: &str = "…";
/// A word longer than this, in characters, is cut where a pair must be cut.
const LONGEST_UNIT: usize = 24;

/// How much of a pair to keep.
#[derive(Debug, Clone, Copy)]
struct Budget {
    /// Units kept before the first and after the last change.
    outside: usize,
    /// Units kept next to each change in the unchanged stretches between changes.
    between: usize,
    /// Units kept of either side after that, half of them from its beginning and half from its end.
    changed: usize,
}

/// The longest version of the pair that `fits`, both sides cut alike.
///
/// The common beginning and end of both texts go first, from the outside in; then what is the same on both sides
/// between the first and the last change; and only when the changed words alone are still too long, they are cut
/// in the middle, the longer side first. `None` when not even one character a side fits.
///
/// # Errors
/// Those of `fits`.
pub(crate) fn shorten<E>(
    original: &str,
    revised: &str,
    mut fits: impl FnMut(&str, &str) -> Result<bool, E>,
) -> Result<Option<(String, String)>, E> {
    type Stage = fn(usize) -> Budget;
    let outside: Stage = |units| Budget { outside: units, between: usize::MAX, changed: usize::MAX };
    let between: Stage = |units| Budget { outside: 0, between: units, changed: usize::MAX };
    let changed: Stage = |units| Budget { outside: 0, between: 0, changed: units };
    for (longest, stages) in [
        (LONGEST_UNIT, &[(0, outside), (0, between), (1, changed)][..]),
        // Not one word a side fits: cut inside words.
        (1, &[(1, changed)][..]),
    ] {
        let (original, revised) = pair_units(original, revised, longest);
        let most = original.len().max(revised.len());
        for &(least, stage) in stages {
            let texts = |units| (keep(&original, stage(units)), keep(&revised, stage(units)));
            let best = largest(least, most, |units| {
                let (original, revised) = texts(units);
                fits(&original, &revised)
            })?;
            if let Some(units) = best {
                return Ok(Some(texts(units)));
            }
        }
    }
    Ok(None)
}

/// Both texts in units; where nothing changed, all of it counts, or nothing would be left to keep.
fn pair_units<'a>(original: &'a str, revised: &'a str, longest: usize) -> (Vec<Unit<'a>>, Vec<Unit<'a>>) {
    let (mut original_units, mut revised_units) = compare(original, revised, longest);
    if original == revised {
        for unit in original_units.iter_mut().chain(&mut revised_units) {
            unit.place = Place::Changed;
        }
    }
    (original_units, revised_units)
}

/// The units that the budget allows, with an ellipsis for every gap.
fn keep(units: &[Unit<'_>], budget: Budget) -> String {
    let mut kept: Vec<bool> = units
        .iter()
        .map(|unit| match unit.place {
            Place::Outside(distance) => distance <= budget.outside,
            Place::Between(distance) => distance <= budget.between,
            Place::Changed => true,
        })
        .collect();
    let count = kept.iter().filter(|&&kept| kept).count();
    if count > budget.changed {
        let (head, tail) = (budget.changed.div_ceil(2), budget.changed / 2);
        for (position, kept) in kept.iter_mut().filter(|kept| **kept).enumerate() {
            *kept = position < head || position >= count - tail;
        }
    }
    let mut text = String::new();
    let mut in_gap = false;
    for (unit, kept) in units.iter().zip(kept) {
        match (kept, in_gap) {
            (true, _) => text.push_str(unit.text),
            (false, false) => text.push_str(ELLIPSIS),
            (false, true) => {}
        }
        in_gap = !kept;
    }
    text
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

    /// Shortens to a number of characters, both sides together.
    fn to(characters: usize, original: &str, revised: &str) -> Option<(String, String)> {
        let result = shorten(original, revised, |original, revised| {
            Ok::<_, Infallible>(original.chars().count() + revised.chars().count() <= characters)
        });
        let Ok(shortened) = result;
        shortened
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

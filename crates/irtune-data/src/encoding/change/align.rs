//! Which bytes of two texts differ, by an alignment of their words.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::units::{LONGEST_UNIT, is_blank, units};

/// The ranges of bytes that differ, of the original and of the revised text, in order.
///
/// Words and marks are aligned without the blanks between them, or blanks, which resemble each other everywhere, would
/// decide which words belong together. What stands between two aligned words is then compared with its blanks, so words
/// that follow each other are one range.
pub(super) fn changed_ranges(original: &str, revised: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let (original, revised) = (Side::of(original), Side::of(revised));
    let anchors = capture_diff_slices(Algorithm::Myers, &original.words(), &revised.words());
    let mut ranges = Vec::new();
    let (mut original_from, mut revised_from) = (0, 0);
    let mut compare = |original_units: Range<usize>, revised_units: Range<usize>| {
        ranges.extend(difference(&original, original_units, &revised, revised_units));
    };
    for anchor in anchors {
        let DiffOp::Equal { old_index, new_index, len } = anchor else { continue };
        for word in 0..len {
            let (original_to, revised_to) =
                (original.places[old_index + word], revised.places[new_index + word]);
            compare(original_from..original_to, revised_from..revised_to);
            (original_from, revised_from) = (original_to + 1, revised_to + 1);
        }
    }
    compare(original_from..original.units.len(), revised_from..revised.units.len());
    ranges
}

/// A text in units.
struct Side<'a> {
    units: Vec<&'a str>,
    /// The byte at which each unit begins, and the text's length.
    starts: Vec<usize>,
    /// The units that are no blanks.
    places: Vec<usize>,
}

impl<'a> Side<'a> {
    fn of(text: &'a str) -> Side<'a> {
        let units = units(text, LONGEST_UNIT);
        let starts = units.iter().scan(0, |at, unit| Some(std::mem::replace(at, *at + unit.len())));
        let starts = starts.chain([text.len()]).collect();
        let places = (0..units.len()).filter(|&unit| !is_blank(units[unit])).collect();
        Side { units, starts, places }
    }

    fn words(&self) -> Vec<&'a str> {
        self.places.iter().map(|&unit| self.units[unit]).collect()
    }

    fn bytes(&self, units: Range<usize>) -> Range<usize> {
        self.starts[units.start]..self.starts[units.end]
    }
}

/// The bytes between the common beginning and the common end of two ranges of units; nothing where they are equal.
fn difference(
    original: &Side<'_>,
    original_units: Range<usize>,
    revised: &Side<'_>,
    revised_units: Range<usize>,
) -> Option<(Range<usize>, Range<usize>)> {
    let (a, b) = (&original.units[original_units.clone()], &revised.units[revised_units.clone()]);
    let before = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[before..], &b[before..]);
    let after = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let within = |units: Range<usize>| units.start + before..units.end - after;
    let differs = a.len() > after || b.len() > after;
    differs.then(|| (original.bytes(within(original_units)), revised.bytes(within(revised_units))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed<'a>(original: &'a str, revised: &'a str) -> Vec<(&'a str, &'a str)> {
        let ranges = changed_ranges(original, revised).into_iter();
        ranges.map(|(removed, added)| (&original[removed], &revised[added])).collect()
    }

    #[test]
    fn equal_texts_have_no_change() {
        assert_eq!(changed("a a a", "a a a"), []);
        assert_eq!(changed("", ""), []);
    }

    #[test]
    fn an_inserted_or_deleted_word_takes_one_blank_with_it() {
        assert_eq!(changed("the old cat sat", "the big old cat sat"), [("", "big ")]);
        assert_eq!(changed("the big old cat sat", "the old cat sat"), [("big ", "")]);
        assert_eq!(changed("", "all of it"), [("", "all of it")]);
    }

    #[test]
    fn changed_words_in_a_row_are_one_hunk() {
        assert_eq!(
            changed("We saw that old results were weak.", "We saw that new findings are weak."),
            [("old results were", "new findings are")]
        );
        assert_eq!(changed("one a two b three", "1 a 2 b 3"), [("one", "1"), ("two", "2"), ("three", "3")]);
    }

    #[test]
    fn blanks_alone_are_a_change() {
        assert_eq!(changed("a  b c", "a b c"), [(" ", "")]);
        assert_eq!(changed("a b", "a\nb"), [(" ", "\n")]);
        assert_eq!(changed("well known", "well-known"), [(" ", "-")]);
    }

    #[test]
    fn a_long_text_without_anything_in_common_is_one_hunk() {
        let text = |word: &str| (0..20_000).map(|number| format!("{word}{number} ")).collect::<String>();
        assert_eq!(changed_ranges(&text("a"), &text("b")).len(), 1);
    }
}

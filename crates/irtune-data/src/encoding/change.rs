//! What changed between two texts, word by word.

/// A word, or a character that is part of none, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit<'a> {
    pub text: &'a str,
    pub place: Place,
}

/// Where a unit stands, with its distance in units to the nearest change, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before the first change or after the last one.
    Outside(usize),
    /// Unchanged, between two changes.
    Between(usize),
    Changed,
}

/// An unchanged stretch between two changes is only worth leaving out from this length in units.
const SHORTEST_STRETCH: usize = 8;
/// Words are compared pair by pair up to this many comparisons; beyond, all between first and last change counts as
/// changed.
const MOST_COMPARISONS: usize = 1 << 22;

/// Cuts both texts into units of at most `longest` characters and marks what changed.
pub(crate) fn compare<'a>(
    original: &'a str,
    revised: &'a str,
    longest: usize,
) -> (Vec<Unit<'a>>, Vec<Unit<'a>>) {
    let (original, revised) = (units(original, longest), units(revised, longest));
    let shorter = original.len().min(revised.len());
    let before = original.iter().zip(&revised).take_while(|(a, b)| a == b).count();
    let after = original.iter().rev().zip(revised.iter().rev()).take_while(|(a, b)| a == b).count();
    let after = after.min(shorter - before);
    let original_end = original.len() - after;
    let revised_end = revised.len() - after;
    let (original_inside, revised_inside) =
        stretches(&original[before..original_end], &revised[before..revised_end]);
    let place = |texts: Vec<&'a str>, end: usize, inside: Vec<Place>| {
        let placed = texts.into_iter().enumerate().map(|(index, text)| {
            let place = if index < before {
                Place::Outside(before - index)
            } else if index >= end {
                Place::Outside(index + 1 - end)
            } else {
                inside[index - before]
            };
            Unit { text, place }
        });
        placed.collect()
    };
    (place(original, original_end, original_inside), place(revised, revised_end, revised_inside))
}

/// Words of letters and digits, cut at `longest` characters; every other character alone, as are those of scripts
/// that write no blanks between words.
fn units(text: &str, longest: usize) -> Vec<&str> {
    let mut units = Vec::new();
    let (mut start, mut characters) = (0, 0);
    for (at, character) in text.char_indices() {
        let joins = character.is_alphanumeric() && !is_ideograph(character);
        if characters > 0 && (!joins || characters >= longest) {
            units.push(&text[start..at]);
            characters = 0;
        }
        if characters == 0 {
            start = at;
        }
        if joins {
            characters += 1;
        } else {
            units.push(&text[at..at + character.len_utf8()]);
        }
    }
    if characters > 0 {
        units.push(&text[start..]);
    }
    units
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{2E80}'..='\u{A4CF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Marks the long stretches that two changed regions have in common, by their longest common subsequence.
fn stretches(original: &[&str], revised: &[&str]) -> (Vec<Place>, Vec<Place>) {
    let mut places = (vec![Place::Changed; original.len()], vec![Place::Changed; revised.len()]);
    let columns = revised.len() + 1;
    if original.len().saturating_mul(revised.len()) > MOST_COMPARISONS {
        return places;
    }
    // common[i * columns + j]: length of the longest common subsequence of original[i..] and revised[j..]
    let mut common = vec![0u32; (original.len() + 1) * columns];
    for i in (0..original.len()).rev() {
        for j in (0..revised.len()).rev() {
            common[i * columns + j] = if original[i] == revised[j] {
                common[(i + 1) * columns + j + 1] + 1
            } else {
                common[(i + 1) * columns + j].max(common[i * columns + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < original.len() && j < revised.len() {
        let length = original[i..].iter().zip(&revised[j..]).take_while(|(a, b)| a == b).count();
        if length == 0 {
            if common[(i + 1) * columns + j] >= common[i * columns + j + 1] {
                i += 1
            } else {
                j += 1
            }
            continue;
        }
        // A stretch at the region's edge was kept out of the common beginning and end by an overlap of the two:
        // it has a change on one side only, which the distance still measures.
        if length >= SHORTEST_STRETCH {
            for offset in 0..length {
                let place = Place::Between((offset + 1).min(length - offset));
                places.0[i + offset] = place;
                places.1[j + offset] = place;
            }
        }
        (i, j) = (i + length, j + length);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_words_and_single_characters() {
        assert_eq!(units("It's 3pm, 東京!", 24), ["It", "'", "s", " ", "3pm", ",", " ", "東", "京", "!"]);
        assert_eq!(units("abcdefg h", 3), ["abc", "def", "g", " ", "h"]);
        assert_eq!(units("", 3), Vec::<&str>::new());
        assert_eq!(units("añb", 1).concat(), "añb");
    }

    #[test]
    fn the_common_beginning_and_end_lie_outside() {
        let (original, revised) = compare("the old cat sat", "the big old cat sat", 24);
        let changed = |units: &[Unit<'_>]| -> String {
            let changed = units.iter().filter(|unit| unit.place == Place::Changed);
            changed.map(|unit| unit.text).collect()
        };
        assert_eq!(changed(&original), "");
        assert_eq!(changed(&revised), "big ");
        assert_eq!(revised[0].place, Place::Outside(2));
        assert_eq!(revised.last().unwrap().place, Place::Outside(5));
    }

    #[test]
    fn equal_texts_have_no_change() {
        let (original, revised) = compare("a a a", "a a a", 24);
        assert_eq!(original, revised);
        assert!(original.iter().all(|unit| matches!(unit.place, Place::Outside(_))));
    }

    #[test]
    fn a_long_stretch_between_two_changes_is_found_on_both_sides() {
        let (original, revised) = compare("one a b c d e f g two", "1 a b c d e f g II and III", 24);
        let between = |units: &[Unit<'_>]| -> String {
            let between = units.iter().filter(|unit| matches!(unit.place, Place::Between(_)));
            between.map(|unit| unit.text).collect()
        };
        assert_eq!(between(&original), " a b c d e f g ");
        assert_eq!(between(&revised), " a b c d e f g ");
        assert_eq!(original[1].place, Place::Between(1));
        assert_eq!(original[8].place, Place::Between(8));
        let (original, _) = compare("one a b two", "1 a b 2", 24);
        assert!(original.iter().all(|unit| unit.place == Place::Changed));
    }
}

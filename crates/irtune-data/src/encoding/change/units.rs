//! The units of a text: what an alignment compares.

/// A word longer than this, in characters, is compared in parts.
pub(crate) const LONGEST_UNIT: usize = 24;

/// Words of letters and digits, cut at `longest` characters; every other character alone, as are those of scripts
/// that write no blanks between words.
pub(crate) fn units(text: &str, longest: usize) -> Vec<&str> {
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

/// The units that are words: no blanks, no marks.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    units(text, LONGEST_UNIT).into_iter().filter(|unit| unit.starts_with(char::is_alphanumeric))
}

/// Whether a unit is white space.
pub(super) fn is_blank(unit: &str) -> bool {
    unit.starts_with(char::is_whitespace)
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{2E80}'..='\u{A4CF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
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
    fn marks_and_blanks_are_no_words() {
        assert_eq!(words(" It's 3pm, 東京!").collect::<Vec<_>>(), ["It", "s", "3pm", "東", "京"]);
        assert!(is_blank(" ") && is_blank("\n") && !is_blank("a") && !is_blank(","));
    }
}

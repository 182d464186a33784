//! Letters that LaTeX writes with a command for their accent.

use unicode_normalization::UnicodeNormalization;

/// The combining character of an accent's command.
fn combining(command: &str) -> Option<char> {
    Some(match command {
        "`" => '\u{300}',
        "'" => '\u{301}',
        "^" => '\u{302}',
        "~" => '\u{303}',
        "=" => '\u{304}',
        "u" => '\u{306}',
        "." => '\u{307}',
        "\"" => '\u{308}',
        "r" => '\u{30A}',
        "H" => '\u{30B}',
        "v" => '\u{30C}',
        "d" => '\u{323}',
        "c" => '\u{327}',
        "k" => '\u{328}',
        "b" => '\u{331}',
        _ => return None,
    })
}

/// Whether a command puts an accent on a letter.
pub(super) fn is_accent(command: &str) -> bool {
    combining(command).is_some()
}

/// The letter with its accent, as one character where there is one.
pub(super) fn accented(command: &str, letter: &str) -> String {
    // A dotless i or j takes its dot's place.
    let letter = match letter {
        "ı" => "i",
        "ȷ" => "j",
        letter => letter,
    };
    let mut letters = letter.chars();
    let (Some(first), Some(mark)) = (letters.next(), combining(command)) else { return letter.to_owned() };
    [first, mark].into_iter().nfc().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_and_letters_become_one_character_where_there_is_one() {
        assert_eq!(accented("'", "e"), "é");
        assert_eq!(accented("\"", "ı"), "ï");
        assert_eq!(accented("c", "cx"), "çx");
        assert_eq!(accented("d", "x"), "x\u{323}");
        assert!(is_accent("v") && !is_accent("emph"));
    }
}

//! Text of files on its way to a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every character that could steer a terminal written as JSON writes it, `\u001b`; line ends and tabs stay.
/// Of JSON it makes the same JSON. What files hold, names of labels for example, is shown by this alone.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match steers(character) {
            true => drop(write!(out, "\\u{:04x}", u32::from(character))),
            false => out.push(character),
        }
    }
    Cow::Owned(out)
}

/// The same for a cell of a table or a part of a line, which a line end would break.
pub fn printable_part(text: &str) -> Cow<'_, str> {
    match text.contains(['\n', '\t']) {
        true => Cow::Owned(printable(text).replace('\n', "\\n").replace('\t', "\\t")),
        false => printable(text),
    }
}

/// Whether a character moves the cursor, changes colours or turns the direction of writing.
fn steers(character: char) -> bool {
    let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (character.is_control() && !matches!(character, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_a_terminal() {
        assert_eq!(printable("\u{1b}[2Jé\r\n\t\u{9b}1m\u{202e}x"), "\\u001b[2Jé\\u000d\n\t\\u009b1m\\u202ex");
        assert!(matches!(printable("größe 東\n"), Cow::Borrowed(_)));
        assert_eq!(printable_part("a\nb\u{7}\tc"), "a\\nb\\u0007\\tc");
        let json = serde_json::to_string("\u{9b}\u{7f}\"\n").unwrap();
        assert_eq!(serde_json::from_str::<String>(&printable(&json)).unwrap(), "\u{9b}\u{7f}\"\n");
    }
}

//! What a refusal must be like.

/// How the names of the folders begin that the files lie in.
pub const PLACE: &str = "irtune-fuzz-";
/// The longest one, in bytes.
const LONGEST: usize = 4000;

/// What is wrong with a refusal, if something is.
pub fn fault(message: &str, names_files: bool) -> Option<&'static str> {
    let control = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    if message.trim().is_empty() {
        Some("the message says nothing")
    } else if message.len() > LONGEST {
        Some("the message is endless")
    } else if message.chars().any(control) {
        Some("the message holds control characters")
    } else if names_files && !message.contains(PLACE) {
        Some("the message names no file")
    } else {
        None
    }
}

/// The first words of a message without what differs from case to case: numbers, and what stands in quotes.
pub fn kind(message: &str) -> String {
    let mut kind = String::new();
    let mut quoted = false;
    for character in message.chars().take(300) {
        if kind.len() > 120 {
            break;
        }
        match character {
            '`' | '"' => quoted = !quoted,
            _ if quoted => continue,
            digit if digit.is_ascii_digit() => {
                if kind.ends_with('#') {
                    continue;
                }
                kind.push('#');
                continue;
            }
            _ => {}
        }
        kind.push(character);
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_judged() {
        assert_eq!(fault("/tmp/irtune-fuzz-1/a.json: no labels", true), None);
        assert_eq!(fault("no labels", false), None);
        assert_eq!(fault("no labels", true), Some("the message names no file"));
        assert_eq!(fault("a \u{1b}[31m red one", false), Some("the message holds control characters"));
        assert_eq!(fault("\n", false), Some("the message says nothing"));
        assert_eq!(fault(&"x".repeat(5000), false), Some("the message is endless"));
    }

    #[test]
    fn messages_of_one_kind_count_as_one() {
        assert_eq!(kind("a.json line 17: `x` is none of 3"), kind("a.json line 4: `yy` is none of 12"));
        assert_ne!(kind("too long"), kind("too short"));
    }
}

//! What Python writes for numbers that JSON has no words for.

/// The words, outside of texts, with the longest first.
const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// The text with an empty text in the place of every NaN and infinity, as long as before; `None` when it has none. They
/// mean "nothing here" to the programs that write them.
pub(super) fn without(text: &str) -> Option<String> {
    let mut rewritten = String::with_capacity(text.len());
    let (mut in_text, mut escaped, mut found) = (false, false, false);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if !in_text && let Some(word) = WORDS.iter().find(|word| rest.starts_with(**word)) {
            rewritten.push_str("\"\"");
            rewritten.extend(std::iter::repeat_n(' ', word.len() - 2));
            rest = &rest[word.len()..];
            found = true;
            continue;
        }
        match character {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            _ => {}
        }
        rewritten.push(character);
        rest = &rest[character.len_utf8()..];
    }
    found.then_some(rewritten)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_outside_of_texts_are_replaced() {
        let text = r#"{"a": NaN, "b": "NaN \" NaN", "c": [-Infinity, Infinity]}"#;
        let rewritten = without(text).unwrap();
        assert_eq!(rewritten, r#"{"a": "" , "b": "NaN \" NaN", "c": [""       , ""      ]}"#);
        assert_eq!(rewritten.len(), text.len());
        assert_eq!(without(r#"{"a": "NaN"}"#), None);
    }
}

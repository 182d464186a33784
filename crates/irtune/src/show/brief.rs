//! Messages that quote what a damaged file holds.

use std::borrow::Cow;

/// The longest run of characters without a blank that is shown whole. Paths are shorter.
const WHOLE: usize = 600;
/// How many characters of a longer one are shown at its beginning, and at its end.
const ENDS: (usize, usize) = (200, 100);

/// A message whose endless words are cut: the first and the last characters of each are shown, with how many are not.
pub fn brief(message: &str) -> Cow<'_, str> {
    let is_long = |word: &str| word.len() > WHOLE && word.chars().count() > WHOLE;
    if !message.split([' ', '\n']).any(is_long) {
        return Cow::Borrowed(message);
    }
    let cut = |word: &str| {
        let blank = word.find([' ', '\n']).unwrap_or(word.len());
        let (word, blank) = word.split_at(blank);
        if !is_long(word) {
            return [word, blank].concat();
        }
        let characters: Vec<char> = word.chars().collect();
        let (first, rest) = characters.split_at(ENDS.0);
        let (left_out, last) = rest.split_at(rest.len() - ENDS.1);
        let text = |part: &[char]| part.iter().collect::<String>();
        format!("{}…({} characters)…{}{blank}", text(first), left_out.len(), text(last))
    };
    Cow::Owned(message.split_inclusive([' ', '\n']).map(cut).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_words_are_cut_in_their_middle() {
        let usual = "a.json line 3: `rank` is \"many\"\n  because: …\n";
        assert!(matches!(brief(usual), Cow::Borrowed(text) if text == usual));
        let found = brief(&format!("a.json: {}é is wrong\nb", "é".repeat(5000))).into_owned();
        let expected =
            format!("a.json: {}…(4701 characters)…{} is wrong\nb", "é".repeat(200), "é".repeat(100));
        assert_eq!(found, expected);
        assert_eq!(brief(&"x".repeat(600)), "x".repeat(600));
    }
}

//! What a hunk changes: blanks, marks, capitals, numbers, a few letters, or words.

use super::hunk::HunkContent;
use super::units::words;

/// Texts longer than this, in characters, are words in any case.
const LONGEST_SPELLING: usize = 64;

/// What turns one text of a hunk into the other.
pub(super) fn of(removed: &str, added: &str) -> HunkContent {
    let without_blanks =
        |text: &str| text.chars().filter(|character| !character.is_whitespace()).collect::<String>();
    if without_blanks(removed) == without_blanks(added) {
        return HunkContent::Blanks;
    }
    let letters =
        |text: &str| text.chars().filter(|character| character.is_alphanumeric()).collect::<String>();
    let (removed_letters, added_letters) = (letters(removed), letters(added));
    if removed_letters == added_letters {
        return HunkContent::Punctuation;
    }
    let (removed_letters, added_letters) = (removed_letters.to_lowercase(), added_letters.to_lowercase());
    if removed_letters == added_letters {
        return HunkContent::Case;
    }
    if words(removed).chain(words(added)).all(has_digit) {
        return HunkContent::Number;
    }
    if is_spelling(&removed_letters, &added_letters) { HunkContent::Spelling } else { HunkContent::Words }
}

/// Whether a word holds a digit.
pub(super) fn has_digit(word: &str) -> bool {
    word.contains(char::is_numeric)
}

/// Whether few letters differ: one, and one more for every five of the shorter text, but at most half of the longer. A
/// digit is never a slip.
fn is_spelling(removed: &str, added: &str) -> bool {
    let (one, other) = (removed.chars().count(), added.chars().count());
    let (shorter, longer) = (one.min(other), one.max(other));
    // Cheap refusals first; the distance takes the product of both lengths.
    let most = (1 + shorter / 5).min(longer / 2);
    shorter > 0
        && longer <= LONGEST_SPELLING
        && !has_digit(removed)
        && !has_digit(added)
        && longer - shorter <= most
        && strsim::osa_distance(removed, added) <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_that_says_it_all_is_said() {
        for (removed, added, content) in [
            ("", "  ", HunkContent::Blanks),
            ("every day", "everyday", HunkContent::Blanks),
            (",", "", HunkContent::Punctuation),
            ("dont", "don't", HunkContent::Punctuation),
            (" ", "-", HunkContent::Punctuation),
            ("however", "However,", HunkContent::Case),
            ("3", "14th", HunkContent::Number),
            ("2019 ", "", HunkContent::Number),
            ("recieve", "receive", HunkContent::Spelling),
            ("improves", "improve", HunkContent::Spelling),
            ("a", "an", HunkContent::Spelling),
            ("is", "are", HunkContent::Words),
            ("a", "b", HunkContent::Words),
            ("", "very ", HunkContent::Words),
            ("in 3 days", "later", HunkContent::Words),
            ("saw 4", "saw 5", HunkContent::Words),
        ] {
            assert_eq!(of(removed, added), content, "{removed:?} to {added:?}");
            assert_eq!(of(added, removed), content, "{added:?} to {removed:?}");
        }
    }
}

//! Words and marks of a text, in lower case.

/// Words of letters, digits and `_`, and every other character but blanks alone; all in lower case.
///
/// # Source
/// The matches of the regular expression `\w+|[^\w\s]`.
pub fn word_terms(text: &str) -> Vec<String> {
    units(text).map(str::to_lowercase).collect()
}

/// The last word of the text before a place and the first one after it, `<` and `>` where there is none.
pub(super) fn beside(before: &str, after: &str) -> [String; 2] {
    let last = last_unit(before).unwrap_or("<").to_lowercase();
    let first = units(after).next().unwrap_or(">").to_lowercase();
    [format!("{last} …"), format!("… {first}")]
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn units(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = match is_word(first) {
            true => rest.find(|character| !is_word(character)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (unit, after) = rest.split_at(end);
        rest = after;
        Some(unit)
    })
}

fn last_unit(text: &str) -> Option<&str> {
    let text = text.trim_end();
    let last = text.chars().next_back()?;
    let start = match is_word(last) {
        true => text.trim_end_matches(is_word).len(),
        false => text.len() - last.len_utf8(),
    };
    Some(&text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_and_marks_stand_alone() {
        assert_eq!(
            word_terms("  The cat's x_1, ÉTÉ--é "),
            ["the", "cat", "'", "s", "x_1", ",", "été", "-", "-", "é"]
        );
        assert_eq!(word_terms(" \n"), [""; 0]);
    }

    #[test]
    fn the_words_beside_a_place_know_their_side() {
        assert_eq!(beside("We Saw ", " it."), ["saw …", "… it"]);
        assert_eq!(beside("We saw,", ""), [", …", "… >"]);
        assert_eq!(beside(" ", ". A"), ["< …", "… ."]);
    }
}

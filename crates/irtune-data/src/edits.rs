//! Both texts of a pair as one, with its edits marked.

use similar::{ChangeTag, TextDiff};

/// What stands around an edit, and between its old and its new words.
const MARKS: [&str; 3] = ["[", " => ", "]"];

/// The words that one edit takes out and puts in.
#[derive(Default)]
struct Edit<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    /// Blanks that both texts have after it: they join it to the next edit, or follow it.
    blanks: Vec<&'a str>,
}

impl Edit<'_> {
    fn is_empty(&self) -> bool {
        self.old.is_empty() && self.new.is_empty()
    }

    /// Writes it to `text` and forgets it.
    fn finish(&mut self, text: &mut String) {
        if !self.is_empty() {
            let [open, between, close] = MARKS;
            for part in [open, &self.old.concat(), between, &self.new.concat(), close] {
                text.push_str(part);
            }
        }
        text.extend(self.blanks.drain(..));
        (self.old, self.new) = (Vec::new(), Vec::new());
    }
}

/// The original text with every edit as `[old words => new words]`, one of them empty for words put in or taken out.
/// Edits with only blanks between them are one.
pub(crate) fn edits(original: &str, revised: &str) -> String {
    let difference = TextDiff::from_words(original, revised);
    let (mut text, mut edit) = (String::new(), Edit::default());
    for change in difference.iter_all_changes() {
        let word = change.value();
        if change.tag() == ChangeTag::Equal {
            if edit.is_empty() || !word.trim().is_empty() {
                edit.finish(&mut text);
                text.push_str(word);
            } else {
                edit.blanks.push(word);
            }
            continue;
        }
        let blanks = std::mem::take(&mut edit.blanks);
        edit.old.extend(&blanks);
        edit.new.extend(&blanks);
        match change.tag() {
            ChangeTag::Delete => edit.old.push(word),
            _ => edit.new.push(word),
        }
    }
    edit.finish(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_put_in_taken_out_and_changed() {
        assert_eq!(edits("the old cat sat", "the new cat sat"), "the [old => new] cat sat");
        assert_eq!(edits("the cat sat", "the big cat sat"), "the [ => big ]cat sat");
        assert_eq!(edits("the big cat sat", "the cat sat"), "the [big  => ]cat sat");
        assert_eq!(edits("", "A car."), "[ => A car.]");
        assert_eq!(edits("A car.", "A car."), "A car.");
        assert_eq!(edits("", ""), "");
    }

    #[test]
    fn edits_beside_each_other_are_one() {
        assert_eq!(edits("say it in this way", "say it a better way"), "say it [in this => a better] way");
        assert_eq!(edits("one  two", "eins  zwei"), "[one  two => eins  zwei]");
    }

    proptest! {
        /// Both texts can be read from it again, as long as they hold no marks.
        #[test]
        fn nothing_is_lost(original in "[ab \\n]{0,30}", revised in "[ab \\n]{0,30}") {
            let text = edits(&original, &revised);
            let (mut old, mut new) = (String::new(), String::new());
            for (number, part) in text.split(['[', ']']).enumerate() {
                let (before, after) = if number % 2 == 1 { part.split_once(" => ").unwrap() } else { (part, part) };
                old.push_str(before);
                new.push_str(after);
            }
            prop_assert_eq!((old, new), (original, revised));
        }
    }
}

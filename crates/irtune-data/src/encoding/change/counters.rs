//! A change in numbers, for models that see no text.

use std::collections::HashMap;

use super::Change;
use super::content::has_digit;
use super::hunk::{Hunk, HunkContent, HunkKind};
use super::units::words;

/// What [`Change::counters`] holds, in its order.
pub const COUNTERS: [&str; 20] = [
    "original_words",
    "revised_words",
    "removed_words",
    "added_words",
    "removed_share",
    "added_share",
    "length_ratio",
    "no_original",
    "no_revised",
    "hunks",
    "moved_hunks",
    "common_share",
    "removed_digits",
    "added_digits",
    "blanks_share",
    "punctuation_share",
    "case_share",
    "spelling_share",
    "first_position",
    "sentences",
];

/// The counters, in the order of their names. Words are units of letters or digits; a count is `ln(1 + count)`.
pub(super) fn counters(change: &Change<'_>) -> [f32; COUNTERS.len()] {
    let hunks = change.hunks();
    let (original, revised) = (words(change.original()).count(), words(change.revised()).count());
    let removed: Vec<&str> = change.removed_words().collect();
    let added: Vec<&str> = change.added_words().collect();
    let of_hunks = |holds: &dyn Fn(&Hunk) -> bool| hunks.iter().filter(|hunk| holds(hunk)).count();
    let content_share = |content| share(of_hunks(&|hunk| hunk.content == content), hunks.len());
    let before_first =
        hunks.first().map_or(original, |hunk| words(&change.original()[..hunk.removed.start]).count());
    [
        log(original),
        log(revised),
        log(removed.len()),
        log(added.len()),
        share(removed.len(), original),
        share(added.len(), revised),
        log(revised) - log(original),
        flag(change.original().trim().is_empty()),
        flag(change.revised().trim().is_empty()),
        log(hunks.len()),
        log(of_hunks(&|hunk| hunk.kind == HunkKind::Moved)),
        share(2 * common(&removed, &added), removed.len() + added.len()),
        flag(removed.iter().copied().any(has_digit)),
        flag(added.iter().copied().any(has_digit)),
        content_share(HunkContent::Blanks),
        content_share(HunkContent::Punctuation),
        content_share(HunkContent::Case),
        content_share(HunkContent::Spelling),
        share(before_first, original),
        sentences(change),
    ]
}

/// Ends of sentences that the hunks add, less those that they remove.
fn sentences(change: &Change<'_>) -> f32 {
    let ends = |text: &str| text.matches(['.', '!', '?', '。', '！', '？']).count() as f32;
    change.hunks().iter().map(|hunk| ends(change.added(hunk)) - ends(change.removed(hunk))).sum()
}

/// Words that both lists hold, whatever their capitals; a word counts as often as both have it.
fn common(removed: &[&str], added: &[&str]) -> usize {
    let mut left: HashMap<String, usize> = HashMap::new();
    removed.iter().for_each(|word| *left.entry(word.to_lowercase()).or_default() += 1);
    let taken = added.iter().filter(|word| match left.get_mut(&word.to_lowercase()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    });
    taken.count()
}

fn log(count: usize) -> f32 {
    (count as f32).ln_1p()
}

fn share(part: usize, of: usize) -> f32 {
    if of == 0 { 0.0 } else { part as f32 / of as f32 }
}

fn flag(holds: bool) -> f32 {
    f32::from(u8::from(holds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(original: &str, revised: &str) -> HashMap<&'static str, f32> {
        COUNTERS.into_iter().zip(Change::of(original, revised).counters()).collect()
    }

    #[test]
    fn every_counter_counts_what_its_name_says() {
        // "cats" to "cat", "saw" to "Saw", "4" to "5", and "Then" moves.
        let counters =
            counted("Then the cats and I saw 4 of them", "the cat and I Saw 5 of them. Then it ended!");
        let log = |count: f32| count.ln_1p();
        let expected = [
            ("original_words", log(9.0)),
            ("revised_words", log(11.0)),
            ("removed_words", log(4.0)),
            ("added_words", log(6.0)),
            ("removed_share", 4.0 / 9.0),
            ("added_share", 6.0 / 11.0),
            ("length_ratio", (12.0f32 / 10.0).ln()),
            ("no_original", 0.0),
            ("no_revised", 0.0),
            ("hunks", log(4.0)),
            ("moved_hunks", 0.0),
            // Then and saw, of ten words.
            ("common_share", 0.4),
            ("removed_digits", 1.0),
            ("added_digits", 1.0),
            ("blanks_share", 0.0),
            ("punctuation_share", 0.0),
            ("case_share", 0.0),
            ("spelling_share", 0.25),
            ("first_position", 0.0),
            ("sentences", 2.0),
        ];
        for (name, value) in expected {
            assert!((counters[name] - value).abs() < 1e-6, "{name}: {} is not {value}", counters[name]);
        }
        assert_eq!(counters.len(), expected.len());
    }

    #[test]
    fn shares_are_of_all_hunks() {
        let counters = counted("one two three four five six", "one, two Three four  five sixt");
        for name in ["punctuation_share", "case_share", "blanks_share", "spelling_share"] {
            assert_eq!(counters[name], 0.25, "{name}");
        }
        let counters = counted("b c now d", "now b c d");
        assert_eq!((counters["moved_hunks"], counters["first_position"]), (2f32.ln_1p(), 0.0));
        assert_eq!(counted("a b c d", "a b x d")["first_position"], 0.5);
    }

    #[test]
    fn one_empty_side_is_said() {
        let (added, deleted) = (counted("", "All new."), counted("All old.", " "));
        assert_eq!((added["no_original"], added["no_revised"], added["added_share"]), (1.0, 0.0, 1.0));
        assert_eq!(
            (deleted["no_original"], deleted["no_revised"], deleted["removed_share"]),
            (0.0, 1.0, 1.0)
        );
        assert!(counted("same", "same").values().all(|value| value.is_finite()));
    }
}

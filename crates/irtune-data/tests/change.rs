//! What changed between two texts, for any two texts.

use irtune_data::{Change, HunkContent, HunkKind, LabelSet, Template};
use proptest::prelude::*;

/// Words that often recur, so that alignments have something to align.
fn text() -> impl Strategy<Value = String> {
    let unit = prop_oneof![
        8 => prop::sample::select(vec!["the", "a", "cat", "Cat", "sat", "on", "mat", "3", "14", "naïve", "東京", "é"]),
        4 => prop::sample::select(vec![",", ".", "…", "(", "-", "\n", "  "]),
    ];
    prop_oneof![prop::collection::vec(unit, 0..30).prop_map(|units| units.join(" ")), "\\PC{0,60}",]
}

proptest! {
    #[test]
    fn hunks_turn_the_original_into_the_revised_text(original in text(), revised in text()) {
        let change = Change::of(&original, &revised);
        let (mut made, mut original_at, mut revised_at) = (String::new(), 0, 0);
        for hunk in change.hunks() {
            prop_assert!(hunk.removed.start >= original_at && hunk.removed.end >= hunk.removed.start);
            prop_assert!(hunk.added.start >= revised_at && hunk.added.end >= hunk.added.start);
            // Slicing panics where a range is not on the boundary of a character.
            made += &original[original_at..hunk.removed.start];
            prop_assert_eq!(made.len(), hunk.added.start);
            made += change.added(hunk);
            prop_assert_ne!(change.removed(hunk), change.added(hunk));
            (original_at, revised_at) = (hunk.removed.end, hunk.added.end);
        }
        made += &original[original_at..];
        prop_assert_eq!(&made, &revised);
        prop_assert_eq!(change.hunks().is_empty(), original == revised);
    }

    #[test]
    fn more_than_blanks_lies_between_two_hunks(original in text(), revised in text()) {
        let change = Change::of(&original, &revised);
        for pair in change.hunks().windows(2) {
            prop_assert!(!original[pair[0].removed.end..pair[1].removed.start].trim().is_empty());
        }
    }

    #[test]
    fn kinds_say_which_sides_are_empty(original in text(), revised in text()) {
        let change = Change::of(&original, &revised);
        let mut moved = 0i32;
        for hunk in change.hunks() {
            let empty = (hunk.removed.is_empty(), hunk.added.is_empty());
            match hunk.kind {
                HunkKind::Inserted => prop_assert_eq!(empty, (true, false)),
                HunkKind::Deleted => prop_assert_eq!(empty, (false, true)),
                HunkKind::Replaced => prop_assert_eq!(empty, (false, false)),
                HunkKind::Moved => {
                    prop_assert!(empty.0 != empty.1);
                    moved += if empty.0 { 1 } else { -1 };
                }
            }
            if hunk.content == HunkContent::Blanks {
                prop_assert!(change.removed(hunk).split_whitespace().eq(change.added(hunk).split_whitespace())
                    || change.removed(hunk).split_whitespace().collect::<String>()
                        == change.added(hunk).split_whitespace().collect::<String>());
            }
        }
        prop_assert_eq!(moved, 0);
    }

    #[test]
    fn counters_are_finite_and_shares_are_shares(original in text(), revised in text()) {
        let change = Change::of(&original, &revised);
        for (name, value) in irtune_data::COUNTERS.into_iter().zip(change.counters()) {
            prop_assert!(value.is_finite(), "{name}: {value}");
            if name.ends_with("share") || name == "first_position" {
                prop_assert!((0.0..=1.0).contains(&value), "{name}: {value}");
            }
        }
    }

    #[test]
    fn without_its_marks_a_marked_text_is_both_texts(original in "[a-c ,.\n]{0,40}", revised in "[a-c ,.\n]{0,40}") {
        let labels = LabelSet::new(["a", "b"]).unwrap();
        let marked = Template::parse("t", "{marked}").unwrap().prompt(&labels).render(&original, &revised);
        let (mut before, mut after, mut rest) = (String::new(), String::new(), marked.as_str());
        while let Some(at) = rest.find(['[', '{']) {
            before += &rest[..at];
            after += &rest[..at];
            let (side, end) = if rest[at..].starts_with("[-") { (&mut before, "-]") } else { (&mut after, "+}") };
            let (inside, behind) = rest[at + 2..].split_once(end).unwrap();
            *side += inside;
            rest = behind;
        }
        prop_assert_eq!(before + rest, original);
        prop_assert_eq!(after + rest, revised);
    }
}

#[test]
fn words_of_hunks_are_in_order() {
    let change = Change::of("One, two three four.", "One 2 three 4, five.");
    assert_eq!(change.removed_words().collect::<Vec<_>>(), ["two", "four"]);
    assert_eq!(change.added_words().collect::<Vec<_>>(), ["2", "4", "five"]);
}

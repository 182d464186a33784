use super::*;
use crate::format::Format;
use crate::read;
use RevisionKind::{Added, Deleted, Joined, Modified, Moved, Split};

fn document(text: &str) -> Document {
    read("draft.md", text.as_bytes(), Format::Markdown).unwrap()
}

/// What became of the sentences: kind, old text, new text.
fn revisions(old: &str, new: &str) -> Vec<(RevisionKind, String, String)> {
    let text = |passage: Option<Passage>| passage.map_or(String::new(), |passage| passage.text);
    let revisions = align(&document(old), &document(new)).into_iter();
    let changed = revisions.filter(|revision| revision.kind != RevisionKind::Unchanged);
    changed.map(|revision| (revision.kind, text(revision.original), text(revision.revised))).collect()
}

fn one(old: &str, new: &str) -> RevisionKind {
    match revisions(old, new).as_slice() {
        [(kind, _, _)] => *kind,
        others => panic!("{others:?}"),
    }
}

const STORY: &str =
    "The river was high after the storm. Nobody crossed the old bridge. The ferry waited at the pier.";

#[test]
fn what_is_the_same_is_no_revision() {
    assert!(revisions(STORY, STORY).is_empty());
    assert!(revisions("", "").is_empty());
    // Line ends of the file are no change.
    assert!(revisions(STORY, &STORY.replace(". ", ".\n")).is_empty());
}

#[test]
fn each_kind_is_told_from_the_others() {
    assert_eq!(one(STORY, &STORY.replace("Nobody crossed", "No one dared to cross")), Modified);
    assert_eq!(one(STORY, &STORY.replace("storm. Nobody", "storm, and nobody")), Joined);
    assert_eq!(one(&STORY.replace("storm. Nobody", "storm, and nobody"), STORY), Split);
    assert_eq!(one(STORY, &format!("{STORY} A boy sold apples.")), Added);
    assert_eq!(one(STORY, &STORY.replace(" Nobody crossed the old bridge.", "")), Deleted);
    let moved =
        "Nobody crossed the old bridge. The river was high after the storm. The ferry waited at the pier.";
    assert_eq!(one(STORY, moved), Moved);
    assert_eq!(
        revisions(STORY, "An entirely different text. It has its own words."),
        [
            (Deleted, "The river was high after the storm.".into(), String::new()),
            (Deleted, "Nobody crossed the old bridge.".into(), String::new()),
            (Deleted, "The ferry waited at the pier.".into(), String::new()),
            (Added, String::new(), "An entirely different text.".into()),
            (Added, String::new(), "It has its own words.".into()),
        ]
    );
}

#[test]
fn passages_say_where_they_stand() {
    let (old, new) =
        (document("# Étude\n\nOne day. Two days."), document("# Étude\n\nOne day. Two long days."));
    let [heading, unchanged, revision] = align(&old, &new).try_into().unwrap();
    assert_eq!((heading.kind, unchanged.at, revision.at), (RevisionKind::Unchanged, 7, 16));
    let (original, revised) = (revision.original.unwrap(), revision.revised.unwrap());
    assert_eq!((original.span.clone(), revised.span.clone()), (16..25, 16..30));
    assert_eq!((original.section.as_deref(), original.block), (Some("Étude"), 1));
    for (document, passage) in [(old, original), (new, revised)] {
        let text: String =
            document.text().chars().skip(passage.span.start).take(passage.span.len()).collect();
        assert_eq!(text, passage.text);
    }
}

#[test]
fn what_was_added_has_a_place_in_the_old_draft() {
    let (old, new) =
        (document("One day. Two days."), document("One day. A new sentence came. Two days. It ended."));
    let added = align(&old, &new).into_iter().filter(|revision| revision.kind == Added);
    assert_eq!(added.map(|revision| revision.at).collect::<Vec<_>>(), [8, 18]);
}

#[test]
fn headings_belong_to_headings_and_no_sentence_crosses_a_block() {
    let old = "# The old bridge\n\nThe old bridge. It fell.\n\nIt was rebuilt.";
    let new = "# The new bridge\n\nThe old bridge. It fell.\n\nIt was rebuilt soon.";
    let kinds: Vec<_> = revisions(old, new).into_iter().map(|(kind, old, _)| (kind, old)).collect();
    assert_eq!(kinds, [(Modified, "The old bridge".into()), (Modified, "It was rebuilt.".into())]);
}

/// Every sentence of both drafts is in one pairing, whatever is in them.
#[test]
fn nothing_is_lost_and_nothing_told_twice() {
    let word = |number: usize| ["stone", "river", "glass", "paper", "salt", "wind"][number % 6];
    let sentence =
        |number: usize| format!("The {} of {} number {number} stood there.", word(number), word(number / 6));
    let draft =
        |numbers: &mut dyn Iterator<Item = usize>| numbers.map(sentence).collect::<Vec<_>>().join(" ");
    // Longer than a stretch of which all is looked at, with every second sentence gone and others in between.
    let old = document(&draft(&mut (0..4000)));
    let new =
        document(&draft(&mut (0..4000).map(|number| if number % 2 == 0 { number } else { number + 10_000 })));
    let revisions = align(&old, &new);
    let count = |side: fn(&Revision) -> Option<&Passage>| revisions.iter().filter_map(side).count();
    assert_eq!((count(|own| own.original.as_ref()), count(|own| own.revised.as_ref())), (4000, 4000));
}

/// Stretches without any anchor, short and long ones.
#[test]
fn drafts_that_share_nothing_are_all_deletions_and_additions() {
    let draft = |count: usize, word: &str| {
        document(&(0..count).map(|number| format!("The {word}{number} came.")).collect::<Vec<_>>().join(" "))
    };
    for (old, new) in [(1, 1500), (1500, 1), (0, 3), (3, 0), (1200, 1100)] {
        let revisions = align(&draft(old, "first"), &draft(new, "second"));
        let count = |side: fn(&Revision) -> Option<&Passage>| revisions.iter().filter_map(side).count();
        assert_eq!((count(|own| own.original.as_ref()), count(|own| own.revised.as_ref())), (old, new));
    }
}

#[test]
fn nobody_waits_for_drafts_that_are_given_up() {
    let (old, new) = (document("One day. Two days."), document("One day. Three long days."));
    assert_eq!(align_while(&old, &new, &|| false), None);
    assert_eq!(align_while(&old, &new, &|| true), Some(align(&old, &new)));
}

/// No sentence is the same, and a long new part stands before them.
#[test]
fn changed_sentences_are_found_behind_a_long_insertion() {
    let words = ["stone", "river", "glass", "paper", "salt", "wind", "rope"];
    let sentence = |number: usize, how: &str| {
        let [one, other] = [number % 7, number / 7 % 7].map(|word| words[word]);
        format!("Of {one} and {other} he had thing{number} {how} there.")
    };
    let old = (0..1500).map(|number| sentence(number, "once")).collect::<Vec<_>>().join(" ");
    let inserted = (5000..5900).map(|number| format!("Something else was added{number}."));
    let changed = (0..1500).map(|number| sentence(number, "twice"));
    let new = inserted.chain(changed).collect::<Vec<_>>().join(" ");
    let revisions = align(&document(&old), &document(&new));
    let count = |kind| revisions.iter().filter(|revision| revision.kind == kind).count();
    assert_eq!((count(Added), count(Modified), revisions.len()), (900, 1500, 2400));
}

//! Sentences and their edits in M2, as tools for grammatical error correction read it.

use super::{Annotated, Annotation};
use similar::{Algorithm, DiffTag, capture_diff_slices};
use std::fmt::Write as _;
use unicode_segmentation::UnicodeSegmentation as _;

/// What stands in the place of an intention where there is none, as in ERRANT.
const UNKNOWN: &str = "UNK";

/// Every sentence of the old draft, `S`, and below it its edits, `A`, with the intention as their type. A sentence that
/// was added is an `S` without words.
///
/// # Source
/// Dahlmeier & Ng, "Better Evaluation for Grammatical Error Correction", 2012; ERRANT, Bryant et al., 2017.
pub(super) fn document(annotation: &Annotation) -> String {
    annotation.revisions.iter().map(sentence).collect()
}

/// A sentence and its edits, with an empty line after them.
fn sentence(own: &Annotated) -> String {
    let (original, revised) = own.texts();
    let (old, new) = (tokens(original), tokens(revised));
    let kind = match own.labels().as_slice() {
        [] => UNKNOWN.to_owned(),
        // Fields are separated by bars, and no field has blanks.
        labels => labels.join("+").replace('|', "/").split_whitespace().collect::<Vec<_>>().join("_"),
    };
    let mut out = format!("S {}\n", old.join(" "));
    let mut annotate = |start: &str, end: &str, kind: &str, correction: &str| {
        let _ = writeln!(out, "A {start} {end}|||{kind}|||{correction}|||REQUIRED|||-NONE-|||0");
    };
    for change in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let (tag, removed, added) = change.as_tag_tuple();
        if tag != DiffTag::Equal {
            annotate(&removed.start.to_string(), &removed.end.to_string(), &kind, &new[added].join(" "));
        }
    }
    if old == new {
        annotate("-1", "-1", "noop", "-NONE-");
    }
    out + "\n"
}

/// The words and marks of a text.
fn tokens(text: &str) -> Vec<&str> {
    text.split_word_bounds().filter(|token| !token.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use irtune_documents::{Passage, Revision, RevisionKind};

    fn annotated(original: &str, revised: &str, label: &str) -> Annotated {
        let passage = |text: &str| {
            let passage =
                Passage { text: text.to_owned(), span: 0..text.chars().count(), block: 0, section: None };
            (!text.is_empty()).then_some(passage)
        };
        let (original, revised) = (passage(original), passage(revised));
        let said = format!(r#"{{"label":{label:?},"probabilities":{{{label:?}:1.0}}}}"#);
        Annotated {
            revision: Revision { kind: RevisionKind::Modified, original, revised, at: 0 },
            prediction: Some(serde_json::from_str(&said).unwrap()),
        }
    }

    /// The tokens after all edits of a sentence.
    fn corrected(block: &str) -> Vec<String> {
        let mut lines = block.trim_end().lines();
        let words = lines.next().unwrap().strip_prefix("S ").unwrap();
        let mut tokens: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        let count = tokens.len();
        for line in lines.rev() {
            let fields: Vec<&str> = line.strip_prefix("A ").unwrap().split("|||").collect();
            assert_eq!(fields.len(), 6, "{line}");
            if fields[1] == "noop" {
                continue;
            }
            let (start, end) = fields[0].split_once(' ').unwrap();
            let range = start.parse::<usize>().unwrap()..end.parse().unwrap();
            assert!(range.start <= range.end && range.end <= count, "{line}");
            tokens.splice(range, fields[2].split_whitespace().map(str::to_owned));
        }
        tokens
    }

    #[test]
    fn edits_made_again_give_the_new_sentence() {
        for (original, revised) in [
            ("He go home.", "He goes home, now."),
            ("", "Entirely new."),
            ("All of it goes.", ""),
            ("One. Two came.", "One,  and two\u{a0}came!"),
            ("a ||| b", "a || b | c"),
            ("It's 3.5\u{2009}km", "It is 東京 👩‍🚀"),
            ("the the the", "the"),
        ] {
            let written = sentence(&annotated(original, revised, "tone"));
            assert_eq!(corrected(&written), tokens(revised), "{written}");
        }
    }

    #[test]
    fn lines_are_those_of_errant() {
        let written = sentence(&annotated("He go to home.", "He goes home.", "clear | up"));
        let edit = "|||clear_/_up|||";
        let expected = format!("S He go to home .\nA 1 3{edit}goes|||REQUIRED|||-NONE-|||0\n\n");
        assert_eq!(written, expected);
        let mut same = annotated("It is.", "It is.", "tone");
        same.prediction = None;
        assert_eq!(sentence(&same), "S It is .\nA -1 -1|||noop|||-NONE-|||REQUIRED|||-NONE-|||0\n\n");
        let mut unsure = annotated("It is.", "It was.", "tone");
        unsure.prediction = None;
        assert!(sentence(&unsure).contains("A 1 2|||UNK|||was|||"));
    }
}

//! Cutting text into sentences.

mod abbreviations;

use abbreviations::ends_in_abbreviation;
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// The sentences of a block of text, as ranges of its bytes, without the blanks between them.
///
/// Cuts are those of Unicode's sentence boundaries, which know decimal numbers and closing quotation marks, but for cuts
/// after abbreviations and initials, and in front of what no sentence begins with.
///
/// # Source
/// Unicode Standard Annex 29, by the `unicode-segmentation` crate.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut sentences: Vec<Range<usize>> = Vec::new();
    for (start, piece) in text.split_sentence_bound_indices() {
        let trimmed = piece.trim();
        if trimmed.is_empty() {
            continue;
        }
        let start = start + (piece.len() - piece.trim_start().len());
        let range = start..start + trimmed.len();
        match sentences.last_mut() {
            // A citation that follows a full stop without a blank, as in `known.[12]`.
            Some(last) if text[last.clone()].ends_with(['[', '(']) && last.end == range.start => {
                let length = trimmed.find([']', ')']).map_or(trimmed.len(), |at| at + 1);
                last.end = range.start + length;
                let rest = &trimmed[length..];
                let start = last.end + (rest.len() - rest.trim_start().len());
                sentences.extend((start < range.end).then_some(start..range.end));
            }
            Some(last) if continues(&text[last.clone()], trimmed) => last.end = range.end,
            _ => sentences.push(range),
        }
    }
    sentences
}

/// Whether what follows a cut belongs to what stands before it.
fn continues(before: &str, after: &str) -> bool {
    let first = after.chars().next().unwrap_or(' ');
    // A citation behind the full stop, or what only closes.
    let is_mark = after.chars().all(|letter| !letter.is_alphanumeric());
    let is_citation = first == '[' && after.find(']').is_some_and(|at| after[at + 1..].trim().is_empty());
    is_mark || is_citation || first.is_lowercase() || ends_in_abbreviation(before, first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn sentences_end_where_a_reader_would_end_them() {
        let cases: &[&[&str]] = &[
            &["It rained.", "We stayed in!", "Did you?"],
            &["See Fig. 3 and Sec. 2.1 for 3.5 percent."],
            &["Smith et al. (2020) agree.", "Others do not."],
            &["Dr. J. R. Miller left, e.g. Paris, i.e. France.", "Nobody knew."],
            &["“It rained.”", "She nodded.", "“Did it?” she asked."],
            &["The U.S. Army came.", "It left in Sept. 1945."],
            &["It holds [3].", "We use it (cf. Eq. 4)."],
            &["This is known.[12]", "That is not."],
            &["Weiter geht es bzw. nicht.", "Das Ende."],
            &["雨が降った。", "家にいた。"],
            &["Is it at 5 p.m. Tuesday?"],
        ];
        for sentences in cases {
            let between = if sentences[0].is_ascii() || sentences[0].contains(' ') { " " } else { "" };
            assert_eq!(cut(&sentences.join(between)), *sentences);
        }
        assert!(cut(" \n ").is_empty());
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_lost(text in "\\PC{0,80}") {
            let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&cut(&text).concat()), letters(&text));
        }
    }
}

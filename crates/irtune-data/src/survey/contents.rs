//! What a corpus holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::lengths::{Quantiles, words};
use super::repeats::Repeats;
use crate::pair::Pair;
use crate::pair_kind::PairKind;

/// Counts that tell whether a corpus is what one thinks it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Contents {
    /// Rows.
    pub rows: usize,
    /// Rows of every label, the most frequent first.
    pub labels: Vec<LabelCount>,
    /// Rows by how many labels they have, where a row can have several.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels_of_a_row: BTreeMap<usize, usize>,
    /// Rows without label; those that can have several say which they have, so they are none of these.
    pub unlabelled: usize,
    /// Documents; rows that name none aren't counted.
    pub documents: usize,
    /// Rows without original text.
    pub additions: usize,
    /// Rows without revised text.
    pub deletions: usize,
    /// Rows with both texts.
    pub modifications: usize,
    /// Rows whose two texts are equal.
    pub equal: usize,
    /// Rows whose two texts differ in nothing but blanks.
    pub equal_but_blanks: usize,
    /// Words of the original texts that are not empty.
    pub original_words: Option<Quantiles>,
    /// Words of the revised texts that are not empty.
    pub revised_words: Option<Quantiles>,
    /// Rows that repeat others.
    #[serde(flatten)]
    pub repeats: Repeats,
}

/// How often a label occurs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelCount {
    /// The label.
    pub label: String,
    /// Rows that have it.
    pub rows: usize,
    /// Their share of the rows that have a label, or of all where a row can have several.
    pub share: f64,
}

impl Contents {
    /// Counts the pairs of a corpus.
    pub fn of(pairs: &[Pair]) -> Contents {
        let count = |holds: &dyn Fn(&Pair) -> bool| pairs.iter().filter(|pair| holds(pair)).count();
        let lengths = |side: fn(&Pair) -> &str| {
            Quantiles::of(pairs.iter().map(|pair| words(side(pair))).filter(|&words| words > 0).collect())
        };
        let kind = |kind: PairKind| count(&|pair| pair.kind() == kind);
        let equal = count(&|pair| pair.original == pair.revised);
        let equal_words = count(&|pair| {
            pair.original
                .split_whitespace()
                .flat_map(str::chars)
                .eq(pair.revised.split_whitespace().flat_map(str::chars))
        });
        Contents {
            rows: pairs.len(),
            labels: label_counts(pairs),
            labels_of_a_row: labels_of_a_row(pairs),
            unlabelled: count(&|pair| pair.label.is_none() && pair.labels.is_none()),
            documents: pairs.iter().filter_map(|pair| pair.group.as_deref()).collect::<BTreeSet<_>>().len(),
            additions: kind(PairKind::Added),
            deletions: kind(PairKind::Deleted),
            modifications: kind(PairKind::Modified),
            equal,
            equal_but_blanks: equal_words - equal,
            original_words: lengths(|pair| &pair.original),
            revised_words: lengths(|pair| &pair.revised),
            repeats: Repeats::of(pairs),
        }
    }
}

fn labels_of_a_row(pairs: &[Pair]) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for labels in pairs.iter().filter_map(|pair| pair.labels.as_ref()) {
        *counts.entry(labels.len()).or_insert(0) += 1;
    }
    counts
}

fn label_counts(pairs: &[Pair]) -> Vec<LabelCount> {
    let mut counts = BTreeMap::new();
    for label in pairs.iter().flat_map(Pair::strata).flatten() {
        *counts.entry(label).or_insert(0) += 1;
    }
    let labelled = pairs.iter().filter(|pair| pair.label.is_some() || pair.labels.is_some()).count();
    let count = |(label, rows): (&str, usize)| LabelCount {
        label: label.to_owned(),
        rows,
        share: rows as f64 / labelled as f64,
    };
    let mut counts: Vec<LabelCount> = counts.into_iter().map(count).collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.rows));
    counts
}

#[cfg(test)]
mod tests {
    use super::super::repeats::{Conflict, Repeat};
    use super::*;
    use crate::place::Place;

    #[test]
    fn everything_is_counted() {
        let rows = [
            ("", "two words", "claim"),
            ("gone", "", "tone"),
            ("same", "same", "tone"),
            ("a", "b", "claim"),
            ("a", "b", "tone"),
            ("a", "b", "tone"),
            ("a b", " a  b", "tone"),
        ];
        let pair = |(row, (original, revised, label)): (usize, &(&str, &str, &str))| Pair {
            original: (*original).to_owned(),
            revised: (*revised).to_owned(),
            label: Some((*label).to_owned()),
            group: Some("essay".to_owned()),
            place: Place::Line { file: "essays.csv".into(), line: row + 2 },
            ..Pair::default()
        };
        let mut pairs: Vec<Pair> = rows.iter().enumerate().map(pair).collect();
        pairs.push(Pair { revised: "new".to_owned(), ..Pair::default() });
        let found = Contents::of(&pairs);
        assert_eq!((found.rows, found.unlabelled, found.documents), (8, 1, 1));
        assert_eq!((found.additions, found.deletions, found.modifications), (2, 1, 5));
        assert_eq!((found.equal, found.equal_but_blanks), (1, 1));
        let labels: Vec<(&str, usize)> =
            found.labels.iter().map(|count| (count.label.as_str(), count.rows)).collect();
        assert_eq!(labels, [("tone", 5), ("claim", 2)]);
        assert_eq!(found.labels[0].share, 5.0 / 7.0);
        let words = found.revised_words.unwrap();
        assert_eq!((words.minimum, words.median, words.maximum), (1, 1, 2));
        let place = |line: usize| format!("essays.csv:{line}");
        assert_eq!(found.repeats.duplicates, [Repeat { place: place(7), first: place(6) }]);
        let rows = vec![(place(5), "claim".to_owned()), (place(6), "tone".to_owned())];
        assert_eq!(found.repeats.conflicts, [Conflict { rows }]);
        assert_eq!(serde_json::to_value(&found).unwrap()["conflicts"][0]["rows"][1][1], "tone");
    }

    #[test]
    fn labels_of_a_row_are_counted_where_there_can_be_several() {
        let of = |labels: &[&str]| Pair {
            revised: labels.join(" "),
            labels: Some(labels.iter().map(|&label| label.to_owned()).collect()),
            ..Pair::default()
        };
        let found = Contents::of(&[of(&["claim", "tone"]), of(&[]), of(&["tone"]), of(&["tone"])]);
        assert_eq!(found.labels_of_a_row, BTreeMap::from([(0, 1), (1, 2), (2, 1)]));
        let labels: Vec<(&str, f64)> =
            found.labels.iter().map(|count| (count.label.as_str(), count.share)).collect();
        assert_eq!((labels, found.unlabelled), (vec![("tone", 0.75), ("claim", 0.25)], 0));
        assert_eq!(found.repeats.duplicates.len(), 1);
    }

    #[test]
    fn no_pairs_hold_nothing() {
        let found = Contents::of(&[]);
        assert_eq!((found.rows, found.labels.len(), found.original_words), (0, 0, None));
    }
}

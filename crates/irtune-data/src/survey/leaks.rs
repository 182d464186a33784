//! What a split shares with another that it should be new to.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::near;
use crate::pair::Pair;

/// Rows of a split that another split makes easy, or gives away.
///
/// A row is counted once: as the same pair, else as a reversed one, else as a near one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Leaks {
    /// Rows of the split.
    pub rows: usize,
    /// Rows whose texts are those of a row of the other split.
    pub same: Vec<Leak>,
    /// Rows that undo a row of the other split: original and revised text have changed places.
    pub reversed: Vec<Leak>,
    /// Rows whose words, three by three, are nearly those of a row of the other split: a Jaccard index of
    /// [`Leaks::NEAR`] or more.
    pub near: Vec<NearLeak>,
    /// Documents that both splits have.
    pub documents: Vec<String>,
    /// Rows of the split that come from them.
    pub document_rows: usize,
}

/// A row, and the row of the other split that it resembles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The row.
    pub place: String,
    /// The other split's row, the first that fits.
    pub other: String,
    /// The row's label.
    pub label: Option<String>,
    /// The other row's label.
    pub other_label: Option<String>,
}

/// A row, and the row of the other split that it nearly is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearLeak {
    /// The two rows.
    #[serde(flatten)]
    pub rows: Leak,
    /// The Jaccard index of their words, three by three.
    pub similarity: f64,
}

impl Leaks {
    /// The Jaccard index from which two pairs are near.
    pub const NEAR: f64 = 0.8;

    /// What `split` shares with `other`.
    pub fn between(split: &[Pair], other: &[Pair]) -> Leaks {
        let known = by_texts(other);
        let mut leaks = Leaks { rows: split.len(), ..Leaks::default() };
        for (pair, nearest) in split.iter().zip(near::nearest(split, other, Leaks::NEAR)) {
            if let Some(same) = known.get(&texts(pair)) {
                leaks.same.push(Leak::of(pair, same));
            } else if let Some(reversed) = known.get(&(pair.revised.as_str(), pair.original.as_str())) {
                leaks.reversed.push(Leak::of(pair, reversed));
            } else if let Some((row, similarity)) = nearest {
                leaks.near.push(NearLeak { rows: Leak::of(pair, &other[row]), similarity });
            }
        }
        let documents = |pairs: &[Pair]| -> BTreeSet<String> {
            pairs.iter().filter_map(|pair| pair.group.clone()).collect()
        };
        let shared: BTreeSet<String> = documents(split).intersection(&documents(other)).cloned().collect();
        let is_shared = |pair: &&Pair| pair.group.as_ref().is_some_and(|group| shared.contains(group));
        leaks.document_rows = split.iter().filter(is_shared).count();
        leaks.documents = shared.into_iter().collect();
        leaks
    }

    /// Whether nothing is shared.
    pub fn is_empty(&self) -> bool {
        self.same.is_empty() && self.reversed.is_empty() && self.near.is_empty() && self.documents.is_empty()
    }
}

/// The rows of a split whose two texts are those of a row of another.
pub fn same_pairs(split: &[Pair], other: &[Pair]) -> Vec<Leak> {
    let known = by_texts(other);
    let leak = |pair: &Pair| known.get(&texts(pair)).map(|same| Leak::of(pair, same));
    split.iter().filter_map(leak).collect()
}

fn texts(pair: &Pair) -> (&str, &str) {
    (&pair.original, &pair.revised)
}

/// The first pair with each two texts.
fn by_texts(pairs: &[Pair]) -> HashMap<(&str, &str), &Pair> {
    let mut known = HashMap::with_capacity(pairs.len());
    for pair in pairs {
        known.entry(texts(pair)).or_insert(pair);
    }
    known
}

impl Leak {
    fn of(pair: &Pair, other: &Pair) -> Leak {
        Leak {
            place: pair.place.to_string(),
            other: other.place.to_string(),
            label: pair.label_text(),
            other_label: other.label_text(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;

    fn corpus(file: &str, rows: &[(&str, &str, &str)]) -> Vec<Pair> {
        let pair = |(row, (original, revised, group)): (usize, &(&str, &str, &str))| Pair {
            original: (*original).to_owned(),
            revised: (*revised).to_owned(),
            label: Some(file.to_owned()),
            group: Some((*group).to_owned()),
            place: Place::Line { file: file.into(), line: row + 1 },
            ..Pair::default()
        };
        rows.iter().enumerate().map(pair).collect()
    }

    #[test]
    fn every_kind_of_leak_is_found_once() {
        let long = "one two three four five six seven eight nine ten eleven twelve";
        let train = corpus(
            "train",
            &[
                ("he go", "he goes", "a"),
                ("it is", "it was", "b"),
                ("", long, "c"),
                ("he go", "he goes", "d"),
            ],
        );
        let longer = format!("{long}, thirteen");
        let test = corpus(
            "test",
            &[
                ("he go", "he goes", "e"),
                ("it was", "it is", "b"),
                ("", longer.as_str(), "f"),
                ("quite", "something else", "b"),
            ],
        );
        let found = Leaks::between(&test, &train);
        assert_eq!(found.rows, 4);
        let leak = |row: usize, other: usize| Leak {
            place: format!("test:{row}"),
            other: format!("train:{other}"),
            label: Some("test".to_owned()),
            other_label: Some("train".to_owned()),
        };
        assert_eq!(found.same, [leak(1, 1)]);
        assert_eq!(same_pairs(&test, &train), found.same);
        assert_eq!(found.reversed, [leak(2, 2)]);
        assert_eq!(found.near, [NearLeak { rows: leak(3, 3), similarity: 10.0 / 11.0 }]);
        assert_eq!((found.documents, found.document_rows), (vec!["b".to_owned()], 2));
        assert!(Leaks::between(&test[3..], &train[..1]).is_empty());
    }
}

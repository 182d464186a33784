//! Parts of a cross-validation: whole documents, labels in proportion.

use super::groups::{Group, groups};
use super::random::shuffled;
use crate::error::DataError;
use crate::pair::Pair;

/// Draws the order of equally large documents; fixed, so that every run divides a file in the same way.
const PURPOSE: u64 = 0x464F4C44;

/// The part of each row when rows are divided into `parts` parts, counted from 0.
///
/// No document lies in two parts; a row without document stands alone, but rows with the same two texts stay together.
/// Documents are placed from the largest to the smallest, equally large ones in an order that depends on their number
/// alone, each in the part where it brings the counts of its labels closest to an even share, in squares relative to
/// that share; of equal parts in the one with the fewest rows. No seed enters: the division is a property of the file.
///
/// # Errors
/// When there are fewer documents than parts, or fewer than two parts.
///
/// # Source
/// After `StratifiedGroupKFold` of scikit-learn 1.9, which orders documents by the deviation of their label counts.
pub fn folds(pairs: &[Pair], parts: usize) -> Result<Vec<usize>, DataError> {
    let (groups, label_rows) = groups(pairs);
    if parts < 2 || groups.len() < parts {
        return Err(DataError::FewGroups { parts, rows: pairs.len(), groups: groups.len() });
    }
    let mut order = shuffled(groups.len(), PURPOSE, 0, 0);
    order.sort_by_key(|&group| std::cmp::Reverse(groups[group].rows.len()));
    let mut filled = vec![Part { rows: 0, labels: vec![0; label_rows.len()] }; parts];
    let mut part_of = vec![0; pairs.len()];
    for group in order.into_iter().map(|group| &groups[group]) {
        let change = |part: &Part| part.change(group, &label_rows, parts);
        let better = |best: usize, part: usize| {
            let (now, before) = (change(&filled[part]), change(&filled[best]));
            let better = now < before || (now == before && filled[part].rows < filled[best].rows);
            if better { part } else { best }
        };
        let best = (1..parts).fold(0, better);
        filled[best].add(group);
        for &row in &group.rows {
            part_of[row] = best;
        }
    }
    Ok(part_of)
}

/// What a part holds so far.
#[derive(Clone)]
struct Part {
    rows: usize,
    labels: Vec<usize>,
}

impl Part {
    fn add(&mut self, group: &Group) {
        self.rows += group.rows.len();
        for (&label, &count) in &group.labels {
            self.labels[label] += count;
        }
    }

    /// By how much the distance of its labels from an even share would grow.
    fn change(&self, group: &Group, label_rows: &[usize], parts: usize) -> f64 {
        let changes = group.labels.iter().map(|(&label, &count)| {
            let target = label_rows[label] as f64 / parts as f64;
            let before = self.labels[label] as f64 - target;
            let after = before + count as f64;
            (after * after - before * before) / target
        });
        changes.sum()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn pair(row: usize, label: &str, group: Option<usize>) -> Pair {
        Pair {
            revised: format!("text {row}"),
            label: Some(label.to_owned()),
            group: group.map(|group| group.to_string()),
            ..Pair::default()
        }
    }

    fn count(pairs: &[Pair], part_of: &[usize], part: usize, label: &str) -> usize {
        let rows = pairs.iter().zip(part_of);
        rows.filter(|(pair, found)| **found == part && pair.label.as_deref() == Some(label)).count()
    }

    #[test]
    fn without_documents_every_part_has_its_share_of_every_label() {
        let label = |row: usize| if row.is_multiple_of(5) { "tone" } else { "claim" };
        let pairs: Vec<Pair> = (0..100).map(|row| pair(row, label(row), None)).collect();
        let part_of = folds(&pairs, 5).unwrap();
        for part in 0..5 {
            assert_eq!(count(&pairs, &part_of, part, "tone"), 4);
            assert_eq!(count(&pairs, &part_of, part, "claim"), 16);
        }
    }

    #[test]
    fn documents_of_several_sizes_are_spread_evenly() {
        // 60 documents of 1 to 9 rows, each leaning towards a label.
        let mut pairs = Vec::new();
        for document in 0..60usize {
            for row in 0..=document % 9 {
                let label = if row % 4 == 0 { (document + row) % 3 } else { document % 3 };
                pairs.push(pair(pairs.len(), ["a", "b", "c"][label], Some(document)));
            }
        }
        let part_of = folds(&pairs, 5).unwrap();
        for label in ["a", "b", "c"] {
            let all = (0..5).map(|part| count(&pairs, &part_of, part, label)).sum::<usize>() as f64;
            for part in 0..5 {
                let share = count(&pairs, &part_of, part, label) as f64 / all;
                assert!((share - 0.2).abs() < 0.03, "{share} of {label} in part {part}");
            }
        }
    }

    #[test]
    fn the_division_never_changes() {
        // Not worked out elsewhere: it only must stay the same, or parts of different runs would overlap.
        let pairs: Vec<Pair> = (0..10).map(|row| pair(row, ["a", "b"][row % 2], Some(row / 2))).collect();
        assert_eq!(folds(&pairs, 3).unwrap(), [2, 2, 1, 1, 0, 0, 1, 1, 0, 0]);
    }

    #[test]
    fn fewer_documents_than_parts_are_an_error() {
        let pairs: Vec<Pair> = (0..8).map(|row| pair(row, "a", Some(row / 3))).collect();
        let error = folds(&pairs, 4).unwrap_err();
        assert!(matches!(error, DataError::FewGroups { parts: 4, rows: 8, groups: 3 }));
        assert_eq!(
            error.to_string(),
            "8 rows in 3 documents can't be divided into 4 parts; use 2 parts or more, and no more than there are documents"
        );
        assert!(folds(&pairs, 1).is_err());
    }

    proptest! {
        #[test]
        fn documents_never_straddle_and_no_part_is_empty(
            rows in prop::collection::vec((0usize..15, 0usize..3), 20..120),
            parts in 2usize..6,
        ) {
            let pairs: Vec<Pair> = rows
                .iter()
                .enumerate()
                .map(|(row, &(group, label))| pair(row, ["a", "b", "c"][label], Some(group)))
                .collect();
            if let Ok(part_of) = folds(&pairs, parts) {
                prop_assert_eq!(part_of.iter().collect::<BTreeSet<_>>().len(), parts);
                for (left, part) in pairs.iter().zip(&part_of) {
                    let same = pairs.iter().zip(&part_of).filter(|(right, _)| right.group == left.group);
                    prop_assert!(same.map(|(_, part)| part).all(|other| other == part));
                }
            }
        }
    }
}

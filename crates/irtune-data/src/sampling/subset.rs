//! Fewer training rows, labels in proportion, smaller subsets inside larger ones.

use std::collections::HashMap;

use super::random::shuffled;
use crate::error::DataError;
use crate::pair::Pair;

const PURPOSE: u64 = 0x535542534554;

/// `size` of the rows, ascending.
///
/// The rows of each label are taken in an order drawn from `seed`. First each label gets one row, frequent labels
/// first; then the next row always goes to the label that is furthest behind its share of the rows taken. So a
/// subset contains every smaller one of the same seed (shares rounded by largest remainders would not do that), a label
/// with more than one row has less than one more than its share, and none is missing when there are as many rows as
/// labels. Where a pair can have several labels, those with the same ones count as one label.
///
/// # Errors
/// When `size` is 0 or more than there are rows.
pub fn subset(pairs: &[Pair], size: usize, seed: u64) -> Result<Vec<usize>, DataError> {
    if size == 0 || size > pairs.len() {
        return Err(DataError::SubsetSize { size, rows: pairs.len() });
    }
    let mut label_of = HashMap::new();
    let mut labels: Vec<Vec<usize>> = Vec::new();
    // In the order of the file, so that nothing depends on the draw but which rows a label gives first.
    for pair in pairs {
        let next = label_of.len();
        if *label_of.entry(stratum(pair)).or_insert(next) == next {
            labels.push(Vec::new());
        }
    }
    for row in shuffled(pairs.len(), PURPOSE, seed, 0) {
        labels[label_of[&stratum(&pairs[row])]].push(row);
    }
    // Frequent labels first; the sort is stable.
    labels.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    let mut taken = vec![0usize; labels.len()];
    let mut chosen = Vec::with_capacity(size);
    while chosen.len() < size {
        let behind = |label: usize| {
            let share = labels[label].len() as f64 * (chosen.len() + 1) as f64 / pairs.len() as f64;
            share - taken[label] as f64
        };
        let next = taken.iter().position(|&taken| taken == 0).unwrap_or_else(|| {
            let open = (0..labels.len()).filter(|&label| taken[label] < labels[label].len());
            open.reduce(|best, label| if behind(label) > behind(best) { label } else { best }).unwrap_or(0)
        });
        chosen.push(labels[next][taken[next]]);
        taken[next] += 1;
    }
    chosen.sort_unstable();
    Ok(chosen)
}

/// What a row is counted as: its label, or all of several together.
fn stratum(pair: &Pair) -> Vec<Option<&str>> {
    let mut labels = pair.strata();
    labels.sort_unstable();
    labels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(labels: &[usize]) -> Vec<Pair> {
        let pair = |label: &usize| Pair { label: Some(format!("label {label}")), ..Pair::default() };
        labels.iter().map(pair).collect()
    }

    fn counts(pairs: &[Pair], rows: &[usize]) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for &row in rows {
            *counts.entry(pairs[row].label.clone().unwrap()).or_insert(0) += 1;
        }
        counts
    }

    #[test]
    fn labels_are_taken_in_proportion_and_none_is_missing() {
        // 70 %, 25 % and 5 % of 200.
        let labels: Vec<usize> =
            (0..200).map(|row| if row < 140 { 0 } else { usize::from(row >= 190) + 1 }).collect();
        let pairs = pairs(&labels);
        let of = |size| {
            let rows = subset(&pairs, size, 3).unwrap();
            assert_eq!(rows.len(), size);
            let counts = counts(&pairs, &rows);
            [0, 1, 2].map(|label| counts.get(&format!("label {label}")).copied().unwrap_or(0))
        };
        assert_eq!(of(1), [1, 0, 0]);
        assert_eq!(of(3), [1, 1, 1]);
        assert_eq!(of(20), [14, 5, 1]);
        assert_eq!(of(100), [70, 25, 5]);
        assert_eq!(of(200), [140, 50, 10]);
    }

    #[test]
    fn pairs_with_the_same_labels_are_taken_in_proportion() {
        let of = |labels: &[&str]| Pair {
            labels: Some(labels.iter().map(|&label| label.to_owned()).collect()),
            ..Pair::default()
        };
        let pairs: Vec<Pair> = (0..40)
            .map(|row| match row % 4 {
                0 => of(&["style", "clarity"]),
                1 if row % 8 == 1 => of(&[]),
                _ => of(&["clarity"]),
            })
            .collect();
        let rows = subset(&pairs, 16, 3).unwrap();
        let count = |length: usize| {
            rows.iter().filter(|&&row| pairs[row].labels.as_ref().unwrap().len() == length).count()
        };
        assert_eq!([count(0), count(1), count(2)], [2, 10, 4]);
    }

    #[test]
    fn another_seed_takes_other_rows() {
        let pairs = pairs(&[0; 50]);
        assert_eq!(subset(&pairs, 10, 1).unwrap(), subset(&pairs, 10, 1).unwrap());
        assert_ne!(subset(&pairs, 10, 1).unwrap(), subset(&pairs, 10, 2).unwrap());
    }

    #[test]
    fn sizes_that_are_not_there_are_errors() {
        for size in [0, 4] {
            let error = subset(&pairs(&[0, 1, 1]), size, 0).unwrap_err();
            assert!(matches!(error, DataError::SubsetSize { rows: 3, .. }), "{error}");
            assert!(error.to_string().starts_with(&format!("train_size: {size} of 3 ")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn subsets_are_nested_and_close_to_their_shares(
            labels in prop::collection::vec(0usize..4, 10..80),
            seed: u64,
        ) {
            let pairs = pairs(&labels);
            let all = counts(&pairs, &(0..pairs.len()).collect::<Vec<_>>());
            let mut before: Vec<usize> = Vec::new();
            for size in 1..=pairs.len() {
                let rows = subset(&pairs, size, seed).unwrap();
                prop_assert_eq!(rows.len(), size);
                prop_assert!(before.iter().all(|row| rows.contains(row)), "{} is not nested", size);
                let found = counts(&pairs, &rows);
                if size >= all.len() {
                    prop_assert_eq!(found.len(), all.len());
                }
                for (label, &count) in &found {
                    let share = all[label] as f64 * size as f64 / pairs.len() as f64;
                    prop_assert!(count == 1 || (count as f64) < share + 1.0, "{} of {}", count, share);
                }
                before = rows;
            }
        }
    }
}

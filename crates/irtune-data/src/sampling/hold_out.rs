//! Holding out rows for validation: whole documents, labels in proportion.

use super::groups::{Group, groups};
use super::random::shuffled;
use crate::error::DataError;
use crate::pair::Pair;

const PURPOSE: u64 = 0x53504C4954;
/// Orders tried; among few large documents one order alone can miss a label.
const ATTEMPTS: u64 = 16;
/// With more documents than this, one order is already close enough.
const MOST_GROUPS: usize = 10_000;

/// The rows of both sides, each ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldOut {
    /// Rows to train on.
    pub train: Vec<usize>,
    /// Rows held out.
    pub validation: Vec<usize>,
}

/// Holds out about `fraction` of the rows.
///
/// No document lies on both sides; a row without document stands alone, but rows with the same two texts stay
/// together. Documents are visited in an order drawn from `seed`, and one is held out when that brings the held-out
/// counts of its labels closer to `fraction` of theirs, in squares relative to the count aimed at. No label is held
/// out altogether. If the held-out side is then still short of rows, the documents that disturb the labels least
/// are added. Of several such orders the one that ends closest is taken.
///
/// # Errors
/// When `fraction` isn't between 0 and 1, or a side is left without rows.
pub fn hold_out(pairs: &[Pair], fraction: f64, seed: u64) -> Result<HoldOut, DataError> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(DataError::Fraction { fraction });
    }
    let (groups, label_rows) = groups(pairs);
    let attempts = if groups.len() <= MOST_GROUPS { ATTEMPTS } else { 1 };
    let mut best: Option<Held<'_>> = None;
    for attempt in 0..attempts {
        let held = Held::new(&label_rows, pairs.len(), fraction)
            .fill(&groups, shuffled(groups.len(), PURPOSE, seed, attempt));
        if best.as_ref().is_none_or(|best| held.distance() < best.distance()) {
            best = Some(held);
        }
    }
    let mut is_held = vec![false; groups.len()];
    for &group in best.iter().flat_map(|held| &held.groups) {
        is_held[group] = true;
    }
    let rows_of = |held: bool| {
        let chosen = groups.iter().zip(&is_held).filter(|&(_, &is_held)| is_held == held);
        let mut rows: Vec<usize> = chosen.flat_map(|(group, _)| group.rows.iter().copied()).collect();
        rows.sort_unstable();
        rows
    };
    let (train, validation) = (rows_of(false), rows_of(true));
    for (side, rows) in [("training", &train), ("validation", &validation)] {
        if rows.is_empty() {
            let (rows, groups) = (pairs.len(), groups.len());
            return Err(DataError::EmptyHoldOut { side, rows, groups, fraction });
        }
    }
    Ok(HoldOut { train, validation })
}

/// The held-out side while it grows.
struct Held<'a> {
    groups: Vec<usize>,
    rows: usize,
    labels: Vec<usize>,
    all_labels: &'a [usize],
    fraction: f64,
    target_rows: usize,
}

impl<'a> Held<'a> {
    fn new(all_labels: &'a [usize], rows: usize, fraction: f64) -> Held<'a> {
        let target_rows = (rows as f64 * fraction).round() as usize;
        let labels = vec![0; all_labels.len()];
        Held { groups: Vec::new(), rows: 0, labels, all_labels, fraction, target_rows }
    }

    /// Takes groups in the given order.
    fn fill(mut self, groups: &[Group], order: Vec<usize>) -> Held<'a> {
        let mut waiting = Vec::new();
        for group in order {
            if self.change(&groups[group]) < 0.0 && self.leaves_every_label(&groups[group]) {
                self.add(group, &groups[group]);
            } else {
                waiting.push(group);
            }
        }
        while let Some(position) = self.least_disturbing(&waiting, groups) {
            let group = waiting.remove(position);
            self.add(group, &groups[group]);
        }
        self
    }

    /// How far the held-out labels are from the aim, in squares relative to the count aimed at.
    fn distance(&self) -> f64 {
        let squares = self.labels.iter().zip(self.all_labels).map(|(&held, &all)| {
            let target = all as f64 * self.fraction;
            (held as f64 - target).powi(2) / target
        });
        squares.sum()
    }

    fn add(&mut self, index: usize, group: &Group) {
        self.groups.push(index);
        self.rows += group.rows.len();
        for (&label, &count) in &group.labels {
            self.labels[label] += count;
        }
    }

    /// By how much [`Held::distance`] would grow.
    fn change(&self, group: &Group) -> f64 {
        let changes = group.labels.iter().map(|(&label, &count)| {
            let target = self.all_labels[label] as f64 * self.fraction;
            let before = self.labels[label] as f64 - target;
            let after = before + count as f64;
            (after * after - before * before) / target
        });
        changes.sum()
    }

    fn leaves_every_label(&self, group: &Group) -> bool {
        group.labels.iter().all(|(&label, count)| self.labels[label] + count < self.all_labels[label])
    }

    /// The waiting group to add next, where one brings the number of rows closer to its aim.
    fn least_disturbing(&self, waiting: &[usize], groups: &[Group]) -> Option<usize> {
        let short = self.target_rows.checked_sub(self.rows).filter(|&short| short > 0)?;
        let mut best: Option<(f64, usize)> = None;
        for (position, &group) in waiting.iter().enumerate() {
            let group = &groups[group];
            if group.rows.len() >= 2 * short || !self.leaves_every_label(group) {
                continue;
            }
            let change = self.change(group);
            if best.is_none_or(|(least, _)| change < least) {
                best = Some((change, position));
            }
        }
        best.map(|(_, position)| position)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn pair(number: usize, label: &str, group: Option<usize>) -> Pair {
        Pair {
            revised: format!("text {number}"),
            label: Some(label.to_owned()),
            group: group.map(|group| group.to_string()),
            ..Pair::default()
        }
    }

    fn count(rows: &[usize], pairs: &[Pair], label: &str) -> usize {
        rows.iter().filter(|&&row| pairs[row].label.as_deref() == Some(label)).count()
    }

    #[test]
    fn without_documents_every_label_is_held_out_in_proportion() {
        let pairs: Vec<Pair> =
            (0..200).map(|row| pair(row, if row % 4 == 0 { "tone" } else { "claim" }, None)).collect();
        let rows = hold_out(&pairs, 0.1, 3).unwrap();
        assert_eq!(count(&rows.validation, &pairs, "tone"), 5);
        assert_eq!(count(&rows.validation, &pairs, "claim"), 15);
        assert_eq!(rows.train.len(), 180);
        assert_eq!(rows, hold_out(&pairs, 0.1, 3).unwrap());
        assert_ne!(rows, hold_out(&pairs, 0.1, 4).unwrap());
    }

    #[test]
    fn few_rows_of_many_labels_still_give_a_validation_side() {
        let pairs: Vec<Pair> =
            (0..10).map(|row| pair(row, ["a", "b", "c", "d", "e"][row % 5], None)).collect();
        assert_eq!(hold_out(&pairs, 0.1, 0).unwrap().validation.len(), 1);
    }

    #[test]
    fn few_large_documents_are_held_out_in_proportion() {
        // Document d leans towards label d % 3.
        let label = |row: usize| ["a", "b", "c"][if row % 5 < 3 { row / 20 % 3 } else { row % 3 }];
        let pairs: Vec<Pair> = (0..600).map(|row| pair(row, label(row), Some(row / 20))).collect();
        for seed in 0..20 {
            let rows = hold_out(&pairs, 0.2, seed).unwrap();
            for label in ["a", "b", "c"] {
                let held = count(&rows.validation, &pairs, label);
                assert!((35..=45).contains(&held), "{held} of 200 {label}");
            }
        }
    }

    #[test]
    fn each_of_several_labels_is_held_out_in_proportion() {
        let labels = |row: usize| -> Vec<String> {
            let has = [("a", row.is_multiple_of(2)), ("b", row.is_multiple_of(5)), ("c", row % 10 == 3)];
            has.iter().filter(|(_, has)| *has).map(|(label, _)| (*label).to_owned()).collect()
        };
        let pairs: Vec<Pair> = (0..200)
            .map(|row| Pair { labels: Some(labels(row)), label: None, ..pair(row, "", None) })
            .collect();
        let rows = hold_out(&pairs, 0.1, 3).unwrap();
        let held = |label: &str| {
            let labels = rows.validation.iter().map(|&row| pairs[row].labels.as_ref().unwrap());
            labels.filter(|labels| labels.iter().any(|own| own == label)).count()
        };
        assert_eq!(rows.validation.len(), 20);
        for (label, expected) in [("a", 9..=11), ("b", 3..=5), ("c", 1..=3)] {
            assert!(expected.contains(&held(label)), "{} of {label}", held(label));
        }
    }

    #[test]
    fn the_same_texts_stay_together_without_documents() {
        let pairs: Vec<Pair> = (0..40).map(|row| pair(row / 2, "tone", None)).collect();
        let rows = hold_out(&pairs, 0.25, 0).unwrap();
        assert_eq!(rows.validation.len(), 10);
        assert!(rows.validation.chunks(2).all(|rows| rows[0] / 2 == rows[1] / 2));
    }

    #[test]
    fn a_label_of_one_document_is_trained_on() {
        let pairs: Vec<Pair> =
            (0..20).map(|row| pair(row, if row < 2 { "rare" } else { "tone" }, Some(row / 2))).collect();
        for seed in 0..50 {
            assert_eq!(count(&hold_out(&pairs, 0.5, seed).unwrap().train, &pairs, "rare"), 2);
        }
    }

    #[test]
    fn a_fraction_outside_its_range_is_an_error() {
        for fraction in [0.0, 1.0, -0.5, f64::NAN] {
            let error = hold_out(&[], fraction, 0).unwrap_err();
            assert!(matches!(error, DataError::Fraction { .. }), "{error}");
        }
    }

    #[test]
    fn an_empty_side_is_an_error() {
        let one_document: Vec<Pair> = (0..8).map(|row| pair(row, "tone", Some(0))).collect();
        let error = hold_out(&one_document, 0.2, 0).unwrap_err();
        assert!(matches!(error, DataError::EmptyHoldOut { side: "validation", .. }));
        assert_eq!(
            error.to_string(),
            "holding out 0.2 of 8 rows in 1 documents leaves the validation side empty; \
             change the fraction, add documents, or give a validation file"
        );
        assert!(matches!(hold_out(&[], 0.5, 0), Err(DataError::EmptyHoldOut { side: "training", .. })));
    }

    proptest! {
        #[test]
        fn documents_never_straddle_and_no_row_is_lost(
            rows in prop::collection::vec((0usize..12, 0usize..3), 30..120),
            fraction in 0.1f64..0.6,
            seed: u64,
        ) {
            let pairs: Vec<Pair> = rows
                .iter()
                .enumerate()
                .map(|(row, &(group, label))| pair(row, ["a", "b", "c"][label], Some(group)))
                .collect();
            if let Ok(rows) = hold_out(&pairs, fraction, seed) {
                let documents = |rows: &[usize]| -> BTreeSet<_> {
                    rows.iter().map(|&row| pairs[row].group.clone()).collect()
                };
                prop_assert!(documents(&rows.train).is_disjoint(&documents(&rows.validation)));
                let mut all = [rows.train.clone(), rows.validation.clone()].concat();
                all.sort_unstable();
                prop_assert_eq!(all, (0..pairs.len()).collect::<Vec<_>>());
                prop_assert_eq!(&rows, &hold_out(&pairs, fraction, seed).unwrap());
            }
        }
    }
}

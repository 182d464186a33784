//! Documents: rows that stay on one side, whatever is drawn.

use std::collections::{BTreeMap, HashMap};

use crate::pair::Pair;

/// Rows that stay together, and how often each label stands in them.
#[derive(Default)]
pub(super) struct Group {
    pub(super) rows: Vec<usize>,
    /// Ordered, so that sums of floats over it are the same in every run.
    pub(super) labels: BTreeMap<usize, usize>,
}

/// Groups in the order of their first rows, and the rows of every label.
pub(super) fn groups(pairs: &[Pair]) -> (Vec<Group>, Vec<usize>) {
    #[derive(PartialEq, Eq, Hash)]
    enum Key<'a> {
        Document(&'a str),
        Texts(&'a str, &'a str),
    }
    let mut group_of = HashMap::new();
    let mut label_of = HashMap::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut label_rows: Vec<usize> = Vec::new();
    for (row, pair) in pairs.iter().enumerate() {
        let key = match &pair.group {
            Some(document) => Key::Document(document),
            None => Key::Texts(&pair.original, &pair.revised),
        };
        let group = *group_of.entry(key).or_insert_with(|| {
            groups.push(Group::default());
            groups.len() - 1
        });
        groups[group].rows.push(row);
        for stratum in pair.strata() {
            let label = *label_of.entry(stratum).or_insert_with(|| {
                label_rows.push(0);
                label_rows.len() - 1
            });
            label_rows[label] += 1;
            *groups[group].labels.entry(label).or_insert(0) += 1;
        }
    }
    (groups, label_rows)
}

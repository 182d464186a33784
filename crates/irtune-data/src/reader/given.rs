//! Rows that a program holds, checked as those of files are.

use std::sync::Arc;

use super::told::Said;
use crate::place::Place;
use crate::row::Row;

pub(super) struct GivenRows {
    name: Arc<str>,
    rows: Arc<[Row]>,
    taken: usize,
}

impl GivenRows {
    pub fn new(name: Arc<str>, rows: Arc<[Row]>) -> GivenRows {
        GivenRows { name, rows, taken: 0 }
    }

    /// The next row, with its place and what it says of its labels.
    pub fn next(&mut self) -> Option<(Row, Place, Said)> {
        let row = self.rows.get(self.taken)?.clone();
        self.taken += 1;
        let place = Place::Row { rows: self.name.clone(), row: self.taken };
        let majority = || row.votes.as_ref().and_then(|votes| votes.majority(None)).map(str::to_owned);
        let label = name(&row.label).or_else(majority);
        let said = Said { label, votes: row.votes.clone(), are_labels: false };
        let group = name(&row.group);
        Some((Row { group, ..row }, place, said))
    }
}

/// A label or a document's name without blanks around it.
fn name(text: &Option<String>) -> Option<String> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

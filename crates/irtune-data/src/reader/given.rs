//! Rows that a program holds, checked as those of files are.

use std::sync::Arc;

use super::Labels;
use super::told::{Told, Untold, missing, told};
use crate::error::DataError;
use crate::pair::Pair;
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

    /// The next row's pair, `Ok(None)` when its label is to be dropped; `None` at the end.
    pub fn next(
        &mut self,
        labels: Labels,
        drop_labels: &[String],
    ) -> Option<Result<Option<Pair>, DataError>> {
        let row = self.rows.get(self.taken)?;
        self.taken += 1;
        let place = Place::Row { rows: self.name.clone(), row: self.taken };
        Some(pair(row, place, labels, drop_labels))
    }
}

fn pair(row: &Row, place: Place, labels: Labels, drop_labels: &[String]) -> Result<Option<Pair>, DataError> {
    let votes = row.votes.clone();
    let majority = || votes.as_ref().and_then(|votes| votes.majority(None)).map(str::to_owned);
    let label = name(&row.label).or_else(majority);
    let told = told(label, votes, labels, drop_labels).map_err(|problem| match problem {
        Untold::Nothing => missing(place.clone(), None, labels),
        Untold::Weights => DataError::WeightedLabels { place: place.clone() },
    })?;
    let Some(Told { label, votes, labels }) = told else { return Ok(None) };
    let (original, revised) = (row.original.clone(), row.revised.clone());
    if original.trim().is_empty() && revised.trim().is_empty() {
        return Err(DataError::BothSidesEmpty { place });
    }
    let (group, id) = (name(&row.group), name(&row.id));
    Ok(Some(Pair { original, revised, label, votes, labels, group, id, place }))
}

/// A label, document or row name without blanks around it.
fn name(text: &Option<String>) -> Option<String> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

//! Sentences that both drafts have in the same order.

use super::Pairing;
use super::unit::Unit;
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Runs of equal sentences, in order, by patience diff: a sentence that occurs once in each draft counts first.
pub(super) fn anchors(old: &[Unit<'_>], new: &[Unit<'_>]) -> Vec<Pairing> {
    let runs = capture_diff_slices(Algorithm::Patience, &keys(old), &keys(new));
    runs.into_iter()
        .filter_map(|run| match run {
            DiffOp::Equal { old_index, new_index, len } => {
                Some(Pairing { old: old_index..old_index + len, new: new_index..new_index + len })
            }
            _ => None,
        })
        .collect()
}

/// What makes sentences equal.
fn keys<'a>(units: &[Unit<'a>]) -> Vec<(bool, &'a str)> {
    units.iter().map(|unit| (unit.heading, unit.text)).collect()
}

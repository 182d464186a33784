//! Pairs that are held out of what people labelled, the same ones every time.

use irtune_data::Row;

/// One of so many documents is held out.
const ONE_OF: u64 = 5;

/// Rows to train on, and those held out: whole documents, or where that leaves a side empty single pairs. Which ones hangs on
/// their names and texts alone, so that no later model learns from what an earlier one was measured on.
pub(super) fn divide(rows: Vec<Row>) -> (Vec<Row>, Vec<Row>) {
    let held = |key: &[&str]| hash(key).is_multiple_of(ONE_OF);
    let by_document = |row: &Row| match &row.group {
        Some(group) => held(&[group]),
        None => held(&[&row.original, &row.revised]),
    };
    let some = rows.iter().any(by_document) && !rows.iter().all(by_document);
    rows.into_iter().partition(|row| match some {
        true => !by_document(row),
        false => !held(&[&row.original, &row.revised]),
    })
}

/// FNV-1a, with a mixing of its bits at the end.
fn hash(key: &[&str]) -> u64 {
    let bytes = key.iter().flat_map(|text| text.bytes().chain([0]));
    let hash = bytes.fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_stay_whole_and_the_same_ones_are_held_out_when_more_come() {
        let row = |number: usize| Row {
            group: Some(format!("document {}", number % 20)),
            ..Row::new(format!("a {number}"), format!("b {number}"))
        };
        let (train, held) = divide((0..100).map(row).collect());
        assert!((5..=40).contains(&held.len()), "{}", held.len());
        assert!(held.iter().all(|row| train.iter().all(|other| other.group != row.group)));
        let (_, more) = divide((0..200).map(row).collect());
        assert!(held.iter().all(|row| more.contains(row)));
        // Of one document pairs are held out.
        let one = |row: Row| Row { group: Some("document 1".to_owned()), ..row };
        let (train, held) = divide((0..40).map(row).map(one).collect());
        assert!(!train.is_empty() && !held.is_empty());
    }
}

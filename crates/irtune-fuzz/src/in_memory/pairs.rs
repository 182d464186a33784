use std::path::Path;

use irtune_data::{Change, Columns, LabelSet, Labels, Pairs, folds};

use super::{refused, way};

/// Pairs in any form: JSON, tables, workbooks, Parquet.
pub fn pairs(name: &Path, bytes: &[u8]) -> Result<(), String> {
    let labels = [Labels::Required, Labels::Optional, Labels::Several][way(bytes, 3)];
    let name = name.display().to_string().into();
    let pairs = Pairs::from_content(&name, bytes.into(), &Columns::default(), labels).map_err(refused)?;
    let pairs = pairs.collect::<Result<Vec<_>, _>>().map_err(refused)?;
    assert!(!pairs.is_empty(), "a corpus without pairs");
    let _ = LabelSet::discover(&pairs);
    // Pairs of one document alone have no two parts.
    assert!(folds(&pairs, 2).map_or(true, |parts| parts.len() == pairs.len()), "a pair has no part");
    for pair in &pairs {
        let change = Change::of(&pair.original, &pair.revised);
        assert!(change.counters().iter().all(|counter| counter.is_finite()), "a counter is no number");
    }
    Ok(())
}

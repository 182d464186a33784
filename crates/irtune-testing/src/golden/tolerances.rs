//! How far off a rung may be: `golden/tolerances.json`, the one place where tolerances stand.

use std::{collections::BTreeMap, fs, sync::OnceLock};

use serde::Deserialize;

use super::golden_folder;

/// The allowed error of a rung at a precision.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Which rung it is, for reports.
    pub rung: &'static str,
    /// Largest difference, relative to the largest expected value of a tensor.
    pub limit: f64,
}

/// One line of the file.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// How far off it may be.
    pub tolerance: f64,
    /// What was measured when the tolerance was set, the largest over all cases.
    pub measured: f64,
}

/// The file, by rung and precision.
pub fn entries() -> &'static BTreeMap<String, BTreeMap<String, Entry>> {
    static ENTRIES: OnceLock<BTreeMap<String, BTreeMap<String, Entry>>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let path = golden_folder().join("tolerances.json");
        let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    })
}

/// What `rung` may be off by at `precision`.
pub fn tolerance(rung: &str, precision: &str) -> Tolerance {
    let (rung, precisions) =
        entries().get_key_value(rung).unwrap_or_else(|| panic!("no tolerance for {rung}"));
    let entry = precisions.get(precision).unwrap_or_else(|| panic!("no tolerance for {rung} in {precision}"));
    Tolerance { rung, limit: entry.tolerance }
}

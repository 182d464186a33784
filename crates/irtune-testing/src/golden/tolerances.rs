//! How far off a rung may be: `golden/tolerances.json`, the one place where tolerances stand.

use std::{collections::BTreeMap, fs, sync::OnceLock};

use serde::Deserialize;

use super::{Errors, Failure, Measure, golden_folder};

/// The allowed errors of a rung at a precision.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// Which rung it is, for reports.
    pub rung: &'static str,
    /// Which precision it is, for reports.
    pub precision: &'static str,
    /// The largest difference, relative to the largest expected value.
    pub largest: f64,
    /// Bounds of a whole tensor, for rungs that compare more than single values.
    pub whole: Option<Whole>,
}

/// The allowed errors of a whole tensor.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    /// The length of the differences, relative to the length of the expected values.
    pub l2: f64,
    /// One minus the cosine of the angle between both.
    pub cosine: f64,
}

impl Tolerance {
    /// Holds `found` against `expected`: as many values, all of them finite, and near enough by every measure.
    ///
    /// # Errors
    /// The first thing that is wrong.
    ///
    /// # Panics
    /// When more than one value is compared in a rung without bounds for that.
    pub fn check(&self, key: &str, expected: &[f32], found: &[f32]) -> Result<(), Failure> {
        let key = || key.to_owned();
        if expected.len() != found.len() {
            return Err(Failure::Size { key: key(), expected: expected.len(), found: found.len() });
        }
        for (values, expected) in [(expected, true), (found, false)] {
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Err(Failure::NotFinite { key: key(), index, expected });
            }
        }
        let Some(errors) = Errors::of(expected, found) else { return Ok(()) };
        let Errors { largest, index, l2, cosine } = errors;
        if largest > self.largest {
            let (expected, found) = (expected[index], found[index]);
            let (error, tolerance) = (largest, self.largest);
            return Err(Failure::Off { key: key(), index, expected, found, error, tolerance });
        }
        if expected.len() > 1 {
            let whole = self.whole.unwrap_or_else(|| panic!("{} has bounds for single values", self.rung));
            for (measure, error, tolerance) in
                [(Measure::L2, l2, whole.l2), (Measure::Cosine, cosine, whole.cosine)]
            {
                if error > tolerance {
                    return Err(Failure::WholeOff { key: key(), measure, error, tolerance });
                }
            }
        }
        Ok(())
    }

    /// Prints what was measured, for `golden/measured.py`.
    #[expect(clippy::disallowed_macros, reason = "tests print what they measure")]
    pub(super) fn report(&self, expected: &[f32], found: &[f32]) {
        let Some(Errors { largest, l2, cosine, .. }) = Errors::of(expected, found) else { return };
        let (rung, precision, values) = (self.rung, self.precision, found.len());
        println!("measured {rung} {precision} {values} {largest:e} {l2:e} {cosine:e}");
    }
}

/// Holds `found` against `expected`, which are no golden's.
///
/// # Panics
/// With what is wrong, when something is; and when nothing is compared.
pub fn assert_close(what: &str, expected: &[f32], found: &[f32], tolerance: Tolerance) {
    assert!(!expected.is_empty(), "{what}: nothing to compare");
    tolerance.report(expected, found);
    if let Err(failure) = tolerance.check(what, expected, found) {
        panic!("{failure} ({}, {})", tolerance.rung, tolerance.precision);
    }
}

/// A line of the file: a rung at a precision.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The largest difference.
    pub largest: Bound,
    /// The length of the differences; missing where single values are compared.
    pub l2: Option<Bound>,
    /// One minus the cosine; missing where single values are compared.
    pub cosine: Option<Bound>,
}

/// A bound, and what it comes from.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
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
    let (precision, entry) = precisions
        .get_key_value(precision)
        .unwrap_or_else(|| panic!("no tolerance for {rung} in {precision}"));
    let whole =
        entry.l2.zip(entry.cosine).map(|(l2, cosine)| Whole { l2: l2.tolerance, cosine: cosine.tolerance });
    Tolerance { rung, precision, largest: entry.largest.tolerance, whole }
}

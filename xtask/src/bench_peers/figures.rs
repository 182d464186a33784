//! A figure of several runs.

use serde::Serialize;
use serde_json::Value;

/// Median, lowest and highest of several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

impl Figure {
    /// The figure of at least one run.
    ///
    /// # Panics
    /// When there is none.
    pub fn of(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "a figure of no runs");
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        let median = (values[last / 2] + values[last.div_ceil(2)]) / 2.0;
        Self { median, low: values[0], high: values[last] }
    }
}

/// A number of a result.
///
/// # Errors
/// When it isn't there.
pub fn number(value: &Value, key: &str) -> anyhow::Result<f64> {
    value[key].as_f64().ok_or_else(|| anyhow::anyhow!("a result has no number `{key}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_two() {
        assert_eq!(Figure::of(vec![4.0, 1.0, 2.0, 9.0]), Figure { median: 3.0, low: 1.0, high: 9.0 });
        assert_eq!(Figure::of(vec![5.0]), Figure { median: 5.0, low: 5.0, high: 5.0 });
    }
}

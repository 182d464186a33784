//! Closeness of figures in f64.

/// Whether two figures differ by nothing but rounding, 1e-12; written so that a NaN is not close.
pub fn is_close(found: f64, expected: f64) -> bool {
    expected.is_finite() && (found - expected).abs() <= 1e-12
}

//! How far off values are.

/// The largest difference relative to the largest expected value, and where it is.
///
/// Where zeros are expected nothing but zeros will do: the difference then counts as it is.
pub fn largest_error(expected: &[f32], found: &[f32]) -> Option<(usize, f64)> {
    let scale = expected.iter().fold(0.0f64, |scale, value| scale.max(f64::from(*value).abs()));
    let scale = if scale == 0.0 { 1.0 } else { scale };
    let errors =
        expected.iter().zip(found).map(|(left, right)| (f64::from(*left) - f64::from(*right)).abs() / scale);
    errors.enumerate().max_by(|left, right| left.1.total_cmp(&right.1))
}

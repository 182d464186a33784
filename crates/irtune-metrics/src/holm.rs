//! Correction for the number of comparisons.

/// Adjusted p values, in the order of the plain ones: those below α keep the chance of one wrong rejection among all
/// below α.
///
/// # Source
/// Holm 1979; `multipletests(method="holm")` of statsmodels, which it equals.
pub fn holm(plain: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..plain.len()).collect();
    order.sort_by(|&left, &right| plain[left].total_cmp(&plain[right]));
    let mut adjusted = vec![0.0; plain.len()];
    let mut highest = 0.0f64;
    for (rank, &at) in order.iter().enumerate() {
        highest = highest.max((plain.len() - rank) as f64 * plain[at]).min(1.0);
        adjusted[at] = highest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::holm;

    #[test]
    fn the_smallest_is_multiplied_by_the_count_and_order_is_kept() {
        assert_eq!(holm(&[0.25, 0.125]), [0.25, 0.25]);
        assert_eq!(holm(&[0.03125, 0.5, 0.0625]), [0.09375, 0.5, 0.125]);
        assert_eq!(holm(&[0.8, 0.9]), [1.0, 1.0]);
        assert_eq!(holm(&[]), [0.0; 0]);
    }
}

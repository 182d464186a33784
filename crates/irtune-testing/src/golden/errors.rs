//! How far off values are, by three measures.

/// How far off values are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errors {
    /// The largest difference, relative to the largest expected value. It sees one value that is wrong.
    pub largest: f64,
    /// Where that difference is.
    pub index: usize,
    /// The length of all differences, relative to the length of the expected values. It sees a wrong scale.
    pub l2: f64,
    /// One minus the cosine of the angle between both. It sees values in wrong places, whatever their scale.
    pub cosine: f64,
}

impl Errors {
    /// None when there are no values.
    ///
    /// Where zeros are expected nothing but zeros will do: differences then count as they are, and a direction other
    /// than none as one that is opposite.
    pub fn of(expected: &[f32], found: &[f32]) -> Option<Self> {
        let pairs = || expected.iter().zip(found).map(|(&left, &right)| (f64::from(left), f64::from(right)));
        let or_one = |scale: f64| if scale == 0.0 { 1.0 } else { scale };
        let scale = or_one(pairs().fold(0.0, |scale, (left, _)| scale.max(left.abs())));
        let differences = pairs().map(|(left, right)| (left - right).abs() / scale).enumerate();
        let (index, largest) = differences.max_by(|left, right| left.1.total_cmp(&right.1))?;

        let length = |squares: f64| squares.sqrt();
        let expected_length = length(pairs().map(|(left, _)| left * left).sum());
        let found_length = length(pairs().map(|(_, right)| right * right).sum());
        let l2 = length(pairs().map(|(left, right)| (left - right).powi(2)).sum()) / or_one(expected_length);
        let cosine = match (expected_length == 0.0, found_length == 0.0) {
            (true, true) => 0.0,
            (true, false) | (false, true) => 2.0,
            // Half the squared distance of both at length one: no digits cancel where the angle is small.
            (false, false) => {
                let apart = pairs().map(|(left, right)| left / expected_length - right / found_length);
                apart.map(|apart| apart * apart).sum::<f64>() / 2.0
            }
        };
        Some(Self { largest, index, l2, cosine })
    }
}

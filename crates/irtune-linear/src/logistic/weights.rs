//! The weights of logistic regression, as they lie one after the other.

/// Weights of some features for some labels: of the numbers that every pair has `[labels, columns]`, of terms
/// `[terms, labels]`, and intercepts `[labels]`, all row-major. The two orders are those in which they are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weights<T> {
    pub(super) dense: T,
    pub(super) sparse: T,
    pub(super) intercepts: T,
}

impl<'a> Weights<&'a [f64]> {
    /// Parts of all parameters.
    pub(super) fn of(parameters: &'a [f64], columns: usize, labels: usize) -> Self {
        let (dense, rest) = parameters.split_at(columns * labels);
        let (sparse, intercepts) = rest.split_at(rest.len() - labels);
        Weights { dense, sparse, intercepts }
    }

    /// Writes a pair's logits.
    pub(super) fn logits(&self, (numbers, places, values): (&[f64], &[usize], &[f64]), logits: &mut [f64]) {
        let labels = logits.len();
        for (label, logit) in logits.iter_mut().enumerate() {
            *logit =
                self.intercepts[label] + dot(&self.dense[label * numbers.len()..][..numbers.len()], numbers);
        }
        for (&place, value) in places.iter().zip(values) {
            let weights = &self.sparse[place * labels..][..labels];
            logits.iter_mut().zip(weights).for_each(|(logit, weight)| *logit += value * weight);
        }
    }
}

impl<'a> Weights<&'a mut [f64]> {
    /// Parts of a gradient.
    pub(super) fn of_gradient(gradient: &'a mut [f64], columns: usize, labels: usize) -> Self {
        let (dense, rest) = gradient.split_at_mut(columns * labels);
        let (sparse, intercepts) = rest.split_at_mut(rest.len() - labels);
        Weights { dense, sparse, intercepts }
    }

    /// Adds what a pair's gradient of the logits means for the weights.
    pub(super) fn add(&mut self, (numbers, places, values): (&[f64], &[usize], &[f64]), slopes: &[f64]) {
        let labels = slopes.len();
        for (label, slope) in slopes.iter().enumerate() {
            self.intercepts[label] += slope;
            let sums = &mut self.dense[label * numbers.len()..][..numbers.len()];
            sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += slope * number);
        }
        for (&place, value) in places.iter().zip(values) {
            let sums = &mut self.sparse[place * labels..][..labels];
            sums.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += value * slope);
        }
    }
}

/// The product of two rows, in eight sums that a compiler can compute side by side.
fn dot(one: &[f64], other: &[f64]) -> f64 {
    let ((one, one_rest), (other, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (one, other) in one.iter().zip(other) {
        for lane in 0..8 {
            sums[lane] += one[lane] * other[lane];
        }
    }
    let rest: f64 = one_rest.iter().zip(other_rest).map(|(one, other)| one * other).sum();
    sums.iter().sum::<f64>() + rest
}

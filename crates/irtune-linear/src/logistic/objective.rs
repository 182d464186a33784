//! What logistic regression minimises, and its gradient.

use super::weights::Weights;
use super::{Penalty, log_softmax};
use crate::features::Design;
use crate::minimise::Convex;

/// Mean weighted cross-entropy, and half the squared length of the weights times a penalty. Intercepts are free.
///
/// Divided by the sum of the pairs' weights, so that a tolerance of the gradient means the same for few pairs and for
/// many; the minimum is scikit-learn's. Parameters are in the order of [`Weights`].
pub(super) struct Objective<'a> {
    features: &'a Design,
    targets: &'a [u32],
    labels: usize,
    /// Of each pair; they sum to one.
    shares: Vec<f64>,
    penalty: f64,
}

impl<'a> Objective<'a> {
    pub(super) fn new(
        features: &'a Design,
        targets: &'a [u32],
        labels: usize,
        penalty: Penalty,
    ) -> Objective<'a> {
        let mut counts = vec![0usize; labels];
        targets.iter().for_each(|&target| counts[target as usize] += 1);
        // Labels that no pair has take no part in the balance.
        let present = counts.iter().filter(|&&count| count > 0).count() as f64;
        let weight = |&target: &u32| match penalty.balanced {
            true => targets.len() as f64 / (present * counts[target as usize] as f64),
            false => 1.0,
        };
        let mut shares: Vec<f64> = targets.iter().map(weight).collect();
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= sum);
        Objective { features, targets, labels, shares, penalty: 1.0 / (penalty.c * sum) }
    }

    /// What half the squared length of the weights counts.
    pub(super) fn penalty(&self) -> f64 {
        self.penalty
    }
}

impl Convex for Objective<'_> {
    fn evaluate(&self, parameters: &[f64], gradient: &mut [f64]) -> f64 {
        let free = parameters.len() - self.labels;
        gradient.iter_mut().zip(parameters).for_each(|(slope, weight)| *slope = self.penalty * weight);
        gradient[free..].fill(0.0);
        let squares: f64 = parameters[..free].iter().map(|weight| weight * weight).sum();
        let mut cost = 0.5 * self.penalty * squares;
        let weights = Weights::of(parameters, self.features.columns(), self.labels);
        let mut slopes = Weights::of_gradient(gradient, self.features.columns(), self.labels);
        let mut residual = vec![0.0; self.labels];
        for ((row, &target), share) in self.features.rows().zip(self.targets).zip(&self.shares) {
            weights.logits(row, &mut residual);
            log_softmax(&mut residual);
            cost -= share * residual[target as usize];
            residual.iter_mut().for_each(|log| *log = share * log.exp());
            residual[target as usize] -= share;
            slopes.add(row, &residual);
        }
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::minimise::assert_gradient;
    use sprs::TriMat;

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut terms = TriMat::new((4, 3));
        for (row, column, value) in
            [(0, 0, 1.5), (0, 2, -0.5), (1, 1, 2.0), (2, 0, -1.0), (2, 1, 0.3), (3, 2, 0.7)]
        {
            terms.add_triplet(row, column, value);
        }
        let numbers: Vec<f64> = (0..40).map(|index| ((index * 11 % 13) as f64 - 6.0) / 5.0).collect();
        let features = Design::new(numbers, 10, terms.to_csr());
        for balanced in [false, true] {
            let objective = Objective::new(&features, &[0, 2, 0, 1], 3, Penalty { c: 0.7, balanced });
            let parameters: Vec<f64> = (0..42).map(|index| ((index * 7 % 5) as f64 - 2.0) / 3.0).collect();
            assert_gradient(&objective, &parameters);
        }
    }
}

//! What logistic regression minimises, and its gradient.

use super::weights::Weights;
use super::{Penalty, log_softmax};
use crate::features::Design;
use crate::minimise::Convex;

/// Mean cross-entropy, and half the squared length of the weights times a penalty. Intercepts are free.
///
/// Divided by the number of pairs, so that a tolerance of the gradient means the same for few pairs and for
/// many; the minimum is scikit-learn's. Parameters are in the order of [`Weights`].
pub(super) struct Objective<'a> {
    features: &'a Design,
    targets: &'a [u32],
    labels: usize,
    penalty: f64,
}

impl<'a> Objective<'a> {
    pub(super) fn new(
        features: &'a Design,
        targets: &'a [u32],
        labels: usize,
        penalty: Penalty,
    ) -> Objective<'a> {
        Objective { features, targets, labels, penalty: 1.0 / (penalty.c * targets.len() as f64) }
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
        let share = 1.0 / self.targets.len() as f64;
        for (row, &target) in self.features.rows().zip(self.targets) {
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
        let objective = Objective::new(&features, &[0, 2, 0, 1], 3, Penalty { c: 0.7 });
        let parameters: Vec<f64> = (0..42).map(|index| ((index * 7 % 5) as f64 - 2.0) / 3.0).collect();
        assert_gradient(&objective, &parameters);
    }
}

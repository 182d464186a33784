//! Other variables, in which every direction of the weights is about as steep.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

use super::objective::Objective;
use crate::features::Design;
use crate::minimise::Convex;

/// A label's share of the curvature, that of a probability of a fifth.
const CURVATURE: f64 = 0.16;

/// The objective in variables `v` of which the weights are `w = P v`.
///
/// Numbers that every pair has go together, so the objective is a narrow valley in their weights. With `P` the inverse
/// root of about its second derivative it is nearly round in `v`, and a fit takes a tenth of the steps. For the numbers
/// `P` is the transposed inverse of a Cholesky factor, for each term one number. The minimum is the same.
pub(super) struct Preconditioned<'a> {
    objective: Objective<'a>,
    columns: usize,
    labels: usize,
    /// Lower triangle, `[columns, columns]`.
    factor: DMatrix<f64>,
    /// Of each term.
    scales: Vec<f64>,
}

impl<'a> Preconditioned<'a> {
    /// Of an objective on these features; `None` when they are not finite.
    pub(super) fn new(objective: Objective<'a>, features: &Design, labels: usize) -> Option<Self> {
        let penalty = objective.penalty();
        let mut curvature = features.gram() * CURVATURE;
        (0..features.columns()).for_each(|column| curvature[(column, column)] += penalty);
        let factor = curvature.cholesky()?.unpack();
        let scales =
            features.squares().into_iter().map(|square| (CURVATURE * square + penalty).sqrt().recip());
        Some(Self { objective, columns: features.columns(), labels, factor, scales: scales.collect() })
    }

    /// `P v`
    pub(super) fn weights(&self, variables: &[f64]) -> Vec<f64> {
        let mut weights = variables.to_vec();
        let (dense, terms) = weights.split_at_mut(self.columns * self.labels);
        // A label's weights lie one after the other, as a column of such a matrix does.
        let mut dense = DMatrixViewMut::from_slice(dense, self.columns, self.labels);
        self.factor.tr_solve_lower_triangular_unchecked_mut(&mut dense);
        self.scale_terms(terms);
        weights
    }

    /// The variables of weights.
    pub(super) fn variables(&self, weights: &[f64]) -> Vec<f64> {
        let mut variables = weights.to_vec();
        let (dense, terms) = variables.split_at_mut(self.columns * self.labels);
        let product = self.factor.tr_mul(&DMatrixView::from_slice(dense, self.columns, self.labels));
        dense.copy_from_slice(product.as_slice());
        for (variables, scale) in terms.chunks_exact_mut(self.labels).zip(&self.scales) {
            variables.iter_mut().for_each(|variable| *variable /= scale);
        }
        variables
    }

    /// Intercepts, which stand behind the terms, stay as they are.
    fn scale_terms(&self, terms: &mut [f64]) {
        for (weights, scale) in terms.chunks_exact_mut(self.labels).zip(&self.scales) {
            weights.iter_mut().for_each(|weight| *weight *= scale);
        }
    }
}

impl Convex for Preconditioned<'_> {
    fn evaluate(&self, variables: &[f64], gradient: &mut [f64]) -> f64 {
        let cost = self.objective.evaluate(&self.weights(variables), gradient);
        let (dense, terms) = gradient.split_at_mut(self.columns * self.labels);
        let mut dense = DMatrixViewMut::from_slice(dense, self.columns, self.labels);
        self.factor.solve_lower_triangular_unchecked_mut(&mut dense);
        self.scale_terms(terms);
        cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logistic::Penalty;
    use crate::minimise::assert_gradient;
    use sprs::TriMat;

    #[test]
    fn weights_and_variables_are_each_others_and_the_gradient_is_that_of_the_variables() {
        let mut terms = TriMat::new((4, 2));
        for (row, column, value) in [(0, 0, 1.5), (1, 1, 2.0), (2, 1, 0.3)] {
            terms.add_triplet(row, column, value);
        }
        let numbers: Vec<f64> = (0..12).map(|index| ((index * 11 % 13) as f64 - 6.0) / 5.0).collect();
        let features = Design::new(numbers, 3, terms.to_csr());
        let objective = Objective::new(&features, &[0, 1, 0, 1], 2, Penalty { c: 3.0 });
        let function = Preconditioned::new(objective, &features, 2).unwrap();
        let variables: Vec<f64> = (0..12).map(|index| ((index * 7 % 5) as f64 - 2.0) / 3.0).collect();
        let back = function.variables(&function.weights(&variables));
        assert!(back.iter().zip(&variables).all(|(back, variable)| (back - variable).abs() < 1e-12));
        assert_gradient(&function, &variables);
    }
}

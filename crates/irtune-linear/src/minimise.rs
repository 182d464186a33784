//! Minimises a smooth convex function by L-BFGS.

use std::cell::RefCell;

use argmin::core::{CostFunction, Error, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;

/// Steps of the past that give the curvature.
const HISTORY: usize = 10;
/// Steps after which it is given up.
const MOST_STEPS: u64 = 5000;

/// A smooth convex function.
pub(crate) trait Convex {
    /// Its value and its gradient, for which `gradient` has room.
    fn evaluate(&self, parameters: &[f64], gradient: &mut [f64]) -> f64;
}

/// A minimum that is not found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "the fit does not converge: its gradient is {gradient:.1e} long, {tolerance:.1e} is asked for; are all numbers \
     finite?"
)]
pub struct FitError {
    /// Length of the gradient that was reached.
    pub gradient: f64,
    /// Length that was asked for.
    pub tolerance: f64,
}

/// The parameters at which the gradient's length is at most `tolerance`.
///
/// # Errors
/// When it is not reached.
pub(crate) fn minimise(
    function: &impl Convex,
    start: Vec<f64>,
    tolerance: f64,
) -> Result<Vec<f64>, FitError> {
    let memory = Memory { function, last: RefCell::default(), lowest: RefCell::default() };
    let solver = LBFGS::new(MoreThuenteLineSearch::new(), HISTORY).with_tolerance_grad(tolerance);
    // At the limit of rounding a line search may find no lower point; then the lowest one so far is what there is.
    let _ended = solver.and_then(|solver| {
        let executor = Executor::new(&memory, solver).ctrlc(false).timer(false);
        executor.configure(|state| state.param(start).max_iters(MOST_STEPS)).run().map(drop)
    });
    let unfit = |gradient| FitError { gradient, tolerance };
    let Some(Point { parameters, gradient, .. }) = memory.lowest.into_inner() else {
        return Err(unfit(f64::NAN));
    };
    let length = gradient.iter().map(|value| value * value).sum::<f64>().sqrt();
    // Ten times the tolerance is where rounding may end it.
    if length <= 10.0 * tolerance { Ok(parameters) } else { Err(unfit(length)) }
}

/// Cost and gradient come together, but the optimizer asks for one after the other.
struct Memory<'a, F> {
    function: &'a F,
    /// Where it was evaluated last.
    last: RefCell<Option<Point>>,
    /// The lowest point so far.
    lowest: RefCell<Option<Point>>,
}

#[derive(Debug, Clone)]
struct Point {
    parameters: Vec<f64>,
    cost: f64,
    gradient: Vec<f64>,
}

impl<F: Convex> Memory<'_, F> {
    /// A figure of a point, which is evaluated unless it was the last one.
    fn at<T>(&self, parameters: &[f64], figure: impl Fn(&Point) -> T) -> Result<T, Error> {
        let mut last = self.last.borrow_mut();
        if let Some(point) = last.as_ref().filter(|point| point.parameters == parameters) {
            return Ok(figure(point));
        }
        let mut gradient = vec![0.0; parameters.len()];
        let cost = self.function.evaluate(parameters, &mut gradient);
        if !cost.is_finite() {
            // A line search would look for a finite one for ever.
            return Err(Error::msg("not finite"));
        }
        let point = Point { parameters: parameters.to_vec(), cost, gradient };
        let mut lowest = self.lowest.borrow_mut();
        // Of equally low points the last one is the nearest.
        if lowest.as_ref().is_none_or(|lowest| point.cost <= lowest.cost) {
            *lowest = Some(point.clone());
        }
        Ok(figure(last.insert(point)))
    }
}

impl<F: Convex> CostFunction for &Memory<'_, F> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        self.at(parameters, |point| point.cost)
    }
}

impl<F: Convex> Gradient for &Memory<'_, F> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, Error> {
        self.at(parameters, |point| point.gradient.clone())
    }
}

/// Checks a gradient against central differences.
#[cfg(test)]
pub(crate) fn assert_gradient(function: &impl Convex, parameters: &[f64]) {
    let mut gradient = vec![0.0; parameters.len()];
    function.evaluate(parameters, &mut gradient);
    for (index, found) in gradient.iter().enumerate() {
        let cost = |step: f64| {
            let mut moved = parameters.to_vec();
            moved[index] += step;
            function.evaluate(&moved, &mut vec![0.0; parameters.len()])
        };
        let expected = (cost(1e-5) - cost(-1e-5)) / 2e-5;
        assert!((found - expected).abs() < 1e-9, "{index}: {found} is not {expected}");
    }
}

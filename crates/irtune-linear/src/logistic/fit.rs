//! Fits logistic regression.

use super::objective::Objective;
use super::precondition::Preconditioned;
use super::{Logistic, Penalty};
use crate::features::Design;
use crate::minimise::{FitError, minimise};

/// How near to the minimum a fit ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// The gradient's length at the end, at most, in variables in which every direction is about as steep.
    pub gradient: f64,
}

impl Tolerance {
    /// Near enough to compare penalties.
    pub const ROUGH: Tolerance = Tolerance { gradient: 3e-3 };
    /// The minimum: the loss is within about 1e-10 of it.
    pub const TIGHT: Tolerance = Tolerance { gradient: 1e-5 };
}

/// Where a fit begins.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// With zeros.
    Zero,
    /// With another fit of the same features and labels.
    From(&'a Logistic),
}

/// Fits `features` to `targets`, the classes of `labels` labels.
///
/// The function is convex, so wherever a fit begins, it ends at the one minimum, as near as `tolerance` says.
///
/// # Shapes
/// `targets` is `[pairs]`.
///
/// # Errors
/// When it does not converge, as with features that are not finite.
///
/// # Source
/// The minimum is that of scikit-learn's `LogisticRegression(C, class_weight)`.
pub fn fit(
    features: &Design,
    targets: &[u32],
    labels: usize,
    penalty: Penalty,
    start: Start<'_>,
    tolerance: Tolerance,
) -> Result<Logistic, FitError> {
    let objective = Objective::new(features, targets, labels, penalty);
    let not_finite = FitError { gradient: f64::NAN, tolerance: tolerance.gradient };
    let function = Preconditioned::new(objective, features, labels).ok_or(not_finite)?;
    let columns = features.columns();
    let start = match start {
        Start::Zero => vec![0.0; (columns + features.terms() + 1) * labels],
        Start::From(fitted) => function.variables(&fitted.parameters),
    };
    let found = minimise(&function, start, tolerance.gradient)?;
    Ok(Logistic { parameters: function.weights(&found), columns, labels })
}

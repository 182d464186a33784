//! Chooses how strong the penalty is, by the validation pairs.

use irtune_metrics::{Metrics, MetricsError, Predictions};
use serde::{Deserialize, Serialize};

use crate::error::LinearError;
use crate::features::Design;
use crate::logistic::{Logistic, Penalty, Start, Tolerance, fit};

/// The values of C that are tried, the strongest penalty first.
pub const STRENGTHS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];
/// The penalty where there is nothing to choose by.
pub const DEFAULT: Penalty = Penalty { c: 1.0, balanced: false };

/// A penalty that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The penalty.
    pub penalty: Penalty,
    /// Of a model with it, on the validation pairs.
    pub macro_f1: f64,
    /// The same model's share of right answers.
    pub accuracy: f64,
}

impl Candidate {
    /// What penalties are chosen by: the mean of both figures. Macro-F1 alone, which on some hundred pairs hangs on a few of
    /// rare labels, chooses balanced labels at any cost in accuracy.
    fn value(&self) -> f64 {
        0.5 * (self.macro_f1 + self.accuracy)
    }
}

/// Pairs as numbers, with their labels' classes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Labelled<'a> {
    pub(crate) features: &'a Design,
    /// `[pairs]`
    pub(crate) targets: &'a [u32],
}

/// Tries every penalty; the best one, of equals the stronger, and its model.
///
/// Each fit begins with the one before, whose penalty is stronger. `told` learns of every candidate.
pub(crate) fn choose(
    train: Labelled<'_>,
    validation: Labelled<'_>,
    names: &[String],
    told: &mut dyn FnMut(&Candidate),
) -> Result<(Penalty, Logistic), LinearError> {
    let mut best: Option<(f64, Penalty, Logistic)> = None;
    for balanced in [false, true] {
        let mut before: Option<Logistic> = None;
        for c in STRENGTHS {
            let penalty = Penalty { c, balanced };
            let start = before.as_ref().map_or(Start::Zero, Start::From);
            let fitted = fit(train.features, train.targets, names.len(), penalty, start, Tolerance::ROUGH)?;
            let metrics = measure(&fitted, validation, names)?;
            let candidate = Candidate { penalty, macro_f1: metrics.macro_f1, accuracy: metrics.accuracy };
            told(&candidate);
            if best.as_ref().is_none_or(|(highest, ..)| candidate.value() > *highest) {
                best = Some((candidate.value(), penalty, fitted.clone()));
            }
            before = Some(fitted);
        }
    }
    let (_, penalty, fitted) = best.expect("penalties were tried");
    Ok((penalty, fitted))
}

fn measure(fitted: &Logistic, pairs: Labelled<'_>, names: &[String]) -> Result<Metrics, MetricsError> {
    let probabilities: Vec<f64> =
        fitted.log_probabilities(pairs.features).into_iter().map(f64::exp).collect();
    let predictions = Predictions::new(pairs.targets, &probabilities, names.len())?;
    Metrics::of(&predictions, names, None)
}

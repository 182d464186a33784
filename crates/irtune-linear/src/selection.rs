//! Chooses how strong the penalty is, by the validation pairs.

use serde::{Deserialize, Serialize};

use crate::error::LinearError;
use crate::features::Design;
use crate::logistic::{Logistic, Penalty, Start, Tolerance, fit};

/// The values of C that are tried, the strongest penalty first.
pub const STRENGTHS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];
/// The penalty where there is nothing to choose by.
pub const DEFAULT: Penalty = Penalty { c: 1.0 };

/// A penalty that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The penalty.
    pub penalty: Penalty,
    /// Mean cross-entropy of the validation pairs under a model with it, which penalties are chosen by: macro-F1 on some
    /// hundred pairs hangs on a few of rare labels.
    pub log_loss: f64,
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
    labels: usize,
    told: &mut dyn FnMut(&Candidate),
) -> Result<(Penalty, Logistic), LinearError> {
    let mut best: Option<(f64, Penalty, Logistic)> = None;
    let mut before: Option<Logistic> = None;
    for c in STRENGTHS {
        let penalty = Penalty { c };
        let start = before.as_ref().map_or(Start::Zero, Start::From);
        let fitted = fit(train.features, train.targets, labels, penalty, start, Tolerance::ROUGH)?;
        let log_loss = log_loss(&fitted, validation);
        told(&Candidate { penalty, log_loss });
        if best.as_ref().is_none_or(|(lowest, ..)| log_loss < *lowest) {
            best = Some((log_loss, penalty, fitted.clone()));
        }
        before = Some(fitted);
    }
    let (_, penalty, fitted) = best.expect("penalties were tried");
    Ok((penalty, fitted))
}

fn log_loss(fitted: &Logistic, pairs: Labelled<'_>) -> f64 {
    let logs = fitted.log_probabilities(pairs.features);
    let rows = logs.chunks_exact(fitted.labels()).zip(pairs.targets);
    -rows.map(|(row, &target)| row[target as usize]).sum::<f64>() / pairs.targets.len() as f64
}

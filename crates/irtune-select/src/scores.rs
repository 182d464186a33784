//! A score a layer, kept from step to step; how one is made from gradient norms.

use crate::{Evidence, Fidelity, LayerSet, PolicyState, SelectError};

/// The published code's norm of a gradient that is not finite.
const NOT_FINITE: f64 = 1000.0;
const SCORES: &str = "scores";

/// A score a layer, once it has one.
#[derive(Debug, Clone)]
pub(crate) struct Scores {
    scores: Vec<Option<f64>>,
    // Kept so that observing allocates nothing.
    fresh: Vec<Option<f64>>,
}

impl Scores {
    pub(crate) fn new(layers: usize) -> Scores {
        Scores { scores: vec![None; layers], fresh: Vec::with_capacity(layers) }
    }

    pub(crate) fn get(&self) -> &[Option<f64>] {
        &self.scores
    }

    /// Replaces all scores.
    pub(crate) fn set(&mut self, scores: &[f64]) {
        self.scores.iter_mut().zip(scores).for_each(|(own, &score)| *own = Some(score));
    }

    /// Scores the layers that trained by their gradients in the step; an error changes nothing.
    pub(crate) fn observe_gradients(
        &mut self,
        method: &'static str,
        fidelity: Fidelity,
        selected: Option<&LayerSet>,
        evidence: &Evidence<'_>,
    ) -> Result<(), SelectError> {
        let step = evidence.step;
        let trained = |layer| selected.is_some_and(|set| set.contains(layer));
        self.fresh.clone_from(&self.scores);
        if let Some(recorded) = evidence.recorded_scores() {
            evidence.expect_length(method, recorded.len())?;
            for (layer, fresh) in self.fresh.iter_mut().enumerate().filter(|&(layer, _)| trained(layer)) {
                let score = recorded[layer];
                if !(score.is_finite() && score >= 0.0) {
                    return Err(SelectError::RecordedScore { method, step, layer, score });
                }
                *fresh = Some(score);
            }
        } else {
            let norms = evidence.gradient_norms().ok_or(SelectError::NoGradientNorms { method, step })?;
            evidence.expect_length(method, norms.layers())?;
            for (layer, fresh) in self.fresh.iter_mut().enumerate() {
                match norms.layer(layer).filter(|norms| !norms.is_empty()) {
                    Some(norms) => *fresh = Some(score(fidelity, norms, step, layer)?),
                    None if trained(layer) => return Err(SelectError::MissingGradientNorms { step, layer }),
                    None => {}
                }
            }
        }
        std::mem::swap(&mut self.scores, &mut self.fresh);
        Ok(())
    }

    pub(crate) fn save(&self, state: PolicyState) -> PolicyState {
        state.with(SCORES, &self.scores)
    }

    /// The scores of a state, if each is one that `possible` allows.
    pub(crate) fn restored(
        &self,
        method: &'static str,
        state: &PolicyState,
        possible: impl Fn(f64) -> bool,
    ) -> Result<Scores, SelectError> {
        let scores = state.list(method, SCORES, self.scores.len())?;
        for (layer, &score) in scores.iter().enumerate() {
            if let Some(score) = score.filter(|&score| !(score.is_finite() && possible(score))) {
                return Err(SelectError::StateScore { method, layer, score });
            }
        }
        let mut restored = Scores::new(scores.len());
        restored.scores.copy_from_slice(scores);
        Ok(restored)
    }
}

/// The score of a layer from its parameters' gradient norms, which are at least one.
fn score(fidelity: Fidelity, norms: &[f64], step: u64, layer: usize) -> Result<f64, SelectError> {
    let sum: f64 = match fidelity {
        Fidelity::Paper => norms.iter().map(|norm| norm * norm).sum(),
        Fidelity::Published => norms.iter().map(|&norm| published_norm(norm).sqrt()).sum(),
    };
    if sum.is_finite() && norms.iter().all(|&norm| norm.is_nan() || norm >= 0.0) {
        return Ok(sum.sqrt());
    }
    // The first that is no norm at all, else the one too large to be squared.
    let no_norm = norms.iter().position(|&norm| !(norm.is_finite() && norm >= 0.0));
    let largest = (0..norms.len()).max_by(|&a, &b| norms[a].total_cmp(&norms[b])).unwrap_or(0);
    let parameter = no_norm.unwrap_or(largest);
    Err(SelectError::InvalidGradientNorm { step, layer, parameter, norm: norms[parameter] })
}

/// A gradient norm as the published code sees it.
fn published_norm(norm: f64) -> f64 {
    if norm.is_nan() || norm.is_infinite() { NOT_FINITE } else { norm }
}

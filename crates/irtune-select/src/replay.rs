//! A policy run over scores that another run recorded, with no model.

use crate::{Evidence, LayerPolicy, LayerSet, SelectError, StepDraws};

/// Shows a policy one step after the other with recorded scores in place of measurements.
pub struct Replay<'a> {
    policy: &'a mut dyn LayerPolicy,
    seed: u64,
    step: u64,
}

impl<'a> Replay<'a> {
    /// The replay of a policy at its start, with the random numbers of a run of this seed.
    pub fn new(policy: &'a mut dyn LayerPolicy, seed: u64) -> Replay<'a> {
        Replay { policy, seed, step: 0 }
    }

    /// The layers that the policy chooses in the next step, after which it is shown the step's scores.
    ///
    /// # Shapes
    /// `scores`: `[layers]`.
    ///
    /// # Errors
    /// [`SelectError::NoProbe`] when the policy measures losses, and those of the policy.
    pub fn step(&mut self, scores: &[f64]) -> Result<LayerSet, SelectError> {
        let step = self.step;
        if self.policy.needs().probes {
            return Err(SelectError::NoProbe { method: self.policy.name(), step });
        }
        let mut draws = StepDraws::new(self.seed, step);
        let mut evidence = Evidence::new(step, scores.len(), &mut draws).with_recorded_scores(scores);
        let chosen = self.policy.select(&mut evidence)?;
        self.policy.observe(&evidence)?;
        self.step += 1;
        Ok(chosen)
    }
}

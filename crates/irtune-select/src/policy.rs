//! What a layer-wise method is: choose before a step, look after it.

use crate::{Evidence, LayerSet, PolicyState, SelectError, Signals};

/// A layer-wise fine-tuning method: decides before each optimizer step which layers train in it.
///
/// A step asks [`needs`](Self::needs), calls [`select`](Self::select) once, trains, and calls
/// [`observe`](Self::observe) once with what was to be measured. A choice depends on the state, the step and the
/// evidence alone, so a policy restored from its [`state`](Self::state) continues as if never stopped.
pub trait LayerPolicy: Send {
    /// The method's name in [`METHODS`](crate::METHODS).
    fn name(&self) -> &'static str;

    /// Which evidence must be measured in the step to come; the engine measures nothing else.
    fn needs(&self) -> Signals;

    /// The layers that train in the step to come.
    ///
    /// # Errors
    /// [`SelectError`] if the evidence is about another model or lacks what the choice needs.
    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError>;

    /// The layers whose optimizer state is to be cleared before the step that was just selected; most methods clear
    /// none.
    fn optimizer_reset(&self) -> Option<LayerSet> {
        None
    }

    /// Takes in what the step showed; on an error the state stays as it was.
    ///
    /// # Errors
    /// [`SelectError`] if what [`needs`](Self::needs) asked for is missing or cannot be scored.
    fn observe(&mut self, evidence: &Evidence<'_>) -> Result<(), SelectError>;

    /// The lowest layer that it will train from now on; what lies below stays as it is. 0 when that isn't known.
    fn lowest(&self) -> usize {
        0
    }

    /// Whether [`lowest`](Self::lowest) may still rise as the run goes on.
    fn lowest_may_rise(&self) -> bool {
        false
    }

    /// Every layer's current score, for the log; `None` for a layer never scored.
    fn scores(&self) -> &[Option<f64>];

    /// All that must be saved beside the optimizer to continue.
    fn state(&self) -> PolicyState;

    /// Continues from a saved state.
    ///
    /// # Errors
    /// [`SelectError`] if the state was written by another method, for another model, or is damaged; the policy
    /// then stays as it was.
    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError>;
}

/// The scores of a policy that keeps none.
///
/// Panics above [`LayerSet::MAXIMUM_LAYERS`], which no model has.
pub fn unscored(layers: usize) -> &'static [Option<f64>] {
    &[None; LayerSet::MAXIMUM_LAYERS][..layers]
}

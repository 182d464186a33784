//! What a layer-wise method is: choose before a step, look after it.

use crate::{Evidence, LayerSet, PolicyState, SelectError};

/// A layer-wise fine-tuning method: decides before each optimizer step which layers train in it.
///
/// A step calls [`select`](Self::select) once, trains, and calls [`observe`](Self::observe) once with what
/// [`needs`](Self::needs) asked to have measured. A choice depends on the state, the step and the evidence's
/// random numbers alone, so a policy restored from its [`state`](Self::state) continues as if never stopped.
pub trait LayerPolicy: Send {
    /// The method's name in [`METHODS`](crate::METHODS).
    fn name(&self) -> &'static str;

    /// Which evidence must be measured in every step; the engine measures nothing else.
    fn needs(&self) -> Signals;

    /// The layers that train in the step to come.
    ///
    /// # Errors
    /// [`SelectError`] if the evidence is about another model or lacks what the choice needs.
    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError>;

    /// Takes in what the step showed; on an error the state stays as it was.
    ///
    /// # Errors
    /// [`SelectError`] if what [`needs`](Self::needs) asked for is missing or cannot be scored.
    fn observe(&mut self, evidence: &Evidence<'_>) -> Result<(), SelectError>;

    /// The lowest layer that it will ever train; what lies below stays as it is. 0 when that isn't known.
    fn lowest(&self) -> usize {
        0
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

/// Which evidence a policy needs measured in every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Signals {
    /// The L2 norm of every adapter parameter's gradient in the layers that train, before clipping.
    pub gradient_norms: bool,
}

impl Signals {
    /// Nothing has to be measured.
    pub const fn none() -> Signals {
        Signals { gradient_norms: false }
    }

    /// Gradient norms have to be measured.
    pub const fn gradient_norms() -> Signals {
        Signals { gradient_norms: true }
    }
}

//! `full`: every layer trains in every step, the baseline of the layer-wise methods.

use crate::{Evidence, LayerPolicy, LayerSet, Method, PolicyState, SelectError, Signals, unscored};

const NAME: &str = "full";

pub(crate) const METHOD: Method = Method {
    name: NAME,
    summary: "Trains every layer in every step: ordinary fine-tuning, the baseline of the others.",
    options: &[],
    notes: &[],
    make: |layers, _| Ok(Box::new(Full::new(layers)?)),
};

/// The policy that always chooses every layer; it looks at nothing and remembers nothing.
#[derive(Debug, Clone)]
pub struct Full {
    all: LayerSet,
}

impl Full {
    /// The policy for a model of `layers` layers.
    ///
    /// # Errors
    /// [`SelectError::LayerCount`] if there can be no such model.
    pub fn new(layers: usize) -> Result<Full, SelectError> {
        Ok(Full { all: LayerSet::all(layers)? })
    }
}

impl LayerPolicy for Full {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        Signals::none()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        evidence.expect_layers(NAME, self.all.layers())?;
        Ok(self.all)
    }

    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }

    fn scores(&self) -> &[Option<f64>] {
        unscored(self.all.layers())
    }

    fn state(&self) -> PolicyState {
        PolicyState::new(NAME)
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        state.expect_method(NAME)
    }
}

//! Training the head alone: no layer is ever chosen.

use irtune_select::{Evidence, LayerPolicy, LayerSet, PolicyState, SelectError, Signals, unscored};

const NAME: &str = "head_only";

/// The policy of a run whose base stays as it is.
#[derive(Debug, Clone)]
pub(crate) struct HeadOnly {
    layers: usize,
}

impl HeadOnly {
    /// For a model of so many layers.
    pub(crate) fn new(layers: usize) -> Result<Self, SelectError> {
        LayerSet::check_layers(layers)?;
        Ok(Self { layers })
    }
}

impl LayerPolicy for HeadOnly {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs(&self) -> Signals {
        Signals::none()
    }

    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        evidence.expect_layers(NAME, self.layers)?;
        LayerSet::none(self.layers)
    }

    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }

    /// Nothing trains below the head, so the hidden states after the last layer stay.
    fn lowest(&self) -> usize {
        self.layers
    }

    fn scores(&self) -> &[Option<f64>] {
        unscored(self.layers)
    }

    fn state(&self) -> PolicyState {
        PolicyState::new(NAME)
    }

    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        state.expect_method(NAME)
    }
}

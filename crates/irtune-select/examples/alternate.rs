//! A method of one's own: the layers of one parity train for some steps, then those of the other.
use irtune_select::{
    Evidence, LayerPolicy, LayerSet, Method, MethodOption, PolicyState, SelectError, Signals,
};
use std::num::NonZeroU64;

const NAME: &str = "alternate";

const INTERVAL: MethodOption = MethodOption {
    name: "interval",
    summary: "Steps before the other half of the layers takes its turn.",
    values: "a number from `1`, such as `5`",
    default: "5",
};

/// The entry of the table.
pub const METHOD: Method = Method {
    name: NAME,
    summary: "Trains the even layers and the odd layers in turn.",
    options: &[INTERVAL],
    notes: &[],
    make: |layers, options| Ok(Box::new(Alternate { layers, interval: options.get(&INTERVAL)? })),
};

struct Alternate {
    layers: usize,
    interval: NonZeroU64,
}

impl LayerPolicy for Alternate {
    fn name(&self) -> &'static str {
        NAME
    }
    fn needs(&self) -> Signals {
        Signals::none()
    }
    fn select(&mut self, evidence: &mut Evidence<'_>) -> Result<LayerSet, SelectError> {
        evidence.expect_layers(NAME, self.layers)?;
        let parity = (evidence.step / self.interval.get() % 2) as usize;
        LayerSet::new(self.layers, (parity.min(self.layers - 1)..self.layers).step_by(2))
    }
    fn observe(&mut self, _: &Evidence<'_>) -> Result<(), SelectError> {
        Ok(())
    }
    fn scores(&self) -> &[Option<f64>] {
        irtune_select::unscored(self.layers)
    }
    fn state(&self) -> PolicyState {
        PolicyState::new(NAME)
    }
    fn restore(&mut self, state: &PolicyState) -> Result<(), SelectError> {
        state.expect_method(NAME)
    }
}

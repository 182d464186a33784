//! Losses for a policy that asks for them.

use irtune_model::Engine;
use irtune_select::{LayerSet, Probe};

use super::{StepBatch, StepError, StepRecipe, StepScratch, micro_batch, pack};

/// Measures losses of a step's first micro-batch, which is packed when the first is asked for.
pub(crate) struct EngineProbe<'a> {
    engine: &'a mut dyn Engine,
    recipe: &'a StepRecipe,
    batch: &'a StepBatch<'a>,
    scratch: &'a mut StepScratch,
    factors: Vec<f32>,
    failure: Option<StepError>,
}

impl<'a> EngineProbe<'a> {
    pub(crate) fn new(
        engine: &'a mut dyn Engine,
        recipe: &'a StepRecipe,
        batch: &'a StepBatch<'a>,
        scratch: &'a mut StepScratch,
    ) -> Self {
        Self { engine, recipe, batch, scratch, factors: Vec::new(), failure: None }
    }

    /// Why a loss could not be measured.
    pub(crate) fn failure(self) -> Option<StepError> {
        self.failure
    }

    fn measure(&mut self, suppressed: &LayerSet, factor: f64) -> Result<f64, StepError> {
        if self.factors.is_empty() {
            pack(self.batch, self.scratch, micro_batch(self.recipe, self.batch, 0))?;
        }
        self.factors.clear();
        let scale = |layer| if suppressed.contains(layer) { factor as f32 } else { 1.0 };
        self.factors.extend((0..suppressed.layers()).map(scale));
        let StepScratch { batch, targets, .. } = &*self.scratch;
        let loss = self.engine.loss(batch, targets.all(), Some(&self.factors))?;
        Ok(loss / targets.losses(batch.examples()) as f64)
    }
}

impl Probe for EngineProbe<'_> {
    fn loss(&mut self, suppressed: &LayerSet, factor: f64) -> Option<f64> {
        self.measure(suppressed, factor).map_err(|failure| self.failure = Some(failure)).ok()
    }
}

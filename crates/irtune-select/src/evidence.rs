//! What a policy may look at: plain numbers, and a source of random ones.

use crate::{Draws, SelectError};

/// What is known at one step: before it for [`select`](crate::LayerPolicy::select), after it, with what was
/// measured, for [`observe`](crate::LayerPolicy::observe).
pub struct Evidence<'a> {
    /// The optimizer step, counted from 0.
    pub step: u64,
    /// Decoder layers of the model.
    pub layers: usize,
    draws: &'a mut dyn Draws,
    gradient_norms: Option<&'a GradientNorms>,
}

impl<'a> Evidence<'a> {
    /// What is known before a step; `draws` are this step's random numbers.
    pub fn new(step: u64, layers: usize, draws: &'a mut dyn Draws) -> Evidence<'a> {
        Evidence { step, layers, draws, gradient_norms: None }
    }

    /// The same step after its backward pass, before clipping.
    #[must_use]
    pub fn with_gradient_norms(mut self, norms: &'a GradientNorms) -> Evidence<'a> {
        self.gradient_norms = Some(norms);
        self
    }

    /// The random numbers of this step.
    pub fn draws(&mut self) -> &mut dyn Draws {
        self.draws
    }

    /// The gradient norms of the layers that trained, if they were measured.
    pub fn gradient_norms(&self) -> Option<&GradientNorms> {
        self.gradient_norms
    }

    /// Confirms that the evidence is about as many layers as `method` was made for.
    ///
    /// # Errors
    /// [`SelectError::EvidenceLayers`] if it is not.
    pub fn expect_layers(&self, method: &'static str, expected: usize) -> Result<(), SelectError> {
        if self.layers == expected {
            return Ok(());
        }
        Err(SelectError::EvidenceLayers { method, step: self.step, expected, found: self.layers })
    }
}

/// L2 norms of the adapter gradients of the layers that trained in a step: one number a parameter.
///
/// The buffers are kept from step to step, so measuring allocates nothing once every layer has trained.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientNorms {
    norms: Vec<Vec<f64>>,
    measured: Vec<bool>,
}

impl GradientNorms {
    /// Nothing measured yet, for a model of this many layers.
    pub fn new(layers: usize) -> GradientNorms {
        GradientNorms { norms: vec![Vec::new(); layers], measured: vec![false; layers] }
    }

    /// Forgets the last step's norms and keeps their memory.
    pub fn clear(&mut self) {
        self.measured.fill(false);
    }

    /// The emptied buffer to put one layer's norms in; the layer counts as measured from now on.
    ///
    /// Panics if the model has no such layer.
    pub fn measure(&mut self, layer: usize) -> &mut Vec<f64> {
        self.measured[layer] = true;
        self.norms[layer].clear();
        &mut self.norms[layer]
    }

    /// One layer's norms, in the engine's order of parameters; `None` if the layer did not train.
    ///
    /// Panics if the model has no such layer.
    pub fn layer(&self, layer: usize) -> Option<&[f64]> {
        self.measured[layer].then_some(self.norms[layer].as_slice())
    }

    /// Decoder layers of the model.
    pub fn layers(&self) -> usize {
        self.norms.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StepDraws;

    #[test]
    fn cleared_norms_are_gone_and_measured_ones_start_empty() {
        let mut norms = GradientNorms::new(3);
        norms.measure(1).extend([1.0, 2.0]);
        assert_eq!(norms.layer(0), None);
        assert_eq!(norms.layer(1), Some([1.0, 2.0].as_slice()));
        norms.clear();
        assert_eq!(norms.layer(1), None);
        norms.measure(1).push(3.0);
        assert_eq!(norms.layer(1), Some([3.0].as_slice()));
        assert_eq!(norms.layers(), 3);
    }

    #[test]
    fn evidence_of_another_model_is_refused() {
        let mut draws = StepDraws::new(0, 7);
        let evidence = Evidence::new(7, 12, &mut draws);
        assert_eq!(evidence.expect_layers("full", 12), Ok(()));
        assert_eq!(
            evidence.expect_layers("full", 30),
            Err(SelectError::EvidenceLayers { method: "full", step: 7, expected: 30, found: 12 })
        );
    }
}

//! What a policy may look at: plain numbers, and a source of random ones.

use crate::{Draws, GradientNorms, LayerSet, SelectError};

/// What is known at one step: before it for [`select`](crate::LayerPolicy::select), after it, with what was
/// measured, for [`observe`](crate::LayerPolicy::observe).
pub struct Evidence<'a> {
    /// The optimizer step, counted from 0.
    pub step: u64,
    /// Decoder layers of the model.
    pub layers: usize,
    draws: &'a mut dyn Draws,
    gradient_norms: Option<&'a GradientNorms>,
    layer_cosines: Option<&'a [f64]>,
    weights: Option<&'a [f64]>,
    recorded_scores: Option<&'a [f64]>,
    probe: Option<&'a mut dyn Probe>,
}

/// Measures losses for a policy that asks for them.
pub trait Probe {
    /// The mean evaluation-mode loss of a training batch with the adapters of `suppressed` scaled by `factor`;
    /// `None` if it could not be measured.
    fn loss(&mut self, suppressed: &LayerSet, factor: f64) -> Option<f64>;
}

impl<'a> Evidence<'a> {
    /// What is known before a step; `draws` are this step's random numbers.
    pub fn new(step: u64, layers: usize, draws: &'a mut dyn Draws) -> Evidence<'a> {
        Evidence {
            step,
            layers,
            draws,
            gradient_norms: None,
            layer_cosines: None,
            weights: None,
            recorded_scores: None,
            probe: None,
        }
    }

    /// The same step after its backward pass, before clipping.
    #[must_use]
    pub fn with_gradient_norms(mut self, norms: &'a GradientNorms) -> Evidence<'a> {
        self.gradient_norms = Some(norms);
        self
    }

    /// With the cosine between input and output of every layer in the step's forward pass, `[layers]`.
    #[must_use]
    pub fn with_layer_cosines(mut self, cosines: &'a [f64]) -> Evidence<'a> {
        self.layer_cosines = Some(cosines);
        self
    }

    /// With the number a layer about the frozen weights that the policy asked for, `[layers]`.
    #[must_use]
    pub fn with_weights(mut self, weights: &'a [f64]) -> Evidence<'a> {
        self.weights = Some(weights);
        self
    }

    /// With scores that another run recorded, `[layers]`: they stand in for everything that would be measured.
    #[must_use]
    pub fn with_recorded_scores(mut self, scores: &'a [f64]) -> Evidence<'a> {
        self.recorded_scores = Some(scores);
        self
    }

    /// With a way to measure losses before the choice.
    #[must_use]
    pub fn with_probe(mut self, probe: &'a mut dyn Probe) -> Evidence<'a> {
        self.probe = Some(probe);
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

    /// The scores that stand in for measurements, if there are any.
    pub fn recorded_scores(&self) -> Option<&[f64]> {
        self.recorded_scores
    }

    /// The cosines between the layers' inputs and outputs.
    ///
    /// # Errors
    /// [`SelectError::NoLayerCosines`] if they were not measured, [`SelectError::EvidenceLayers`] if they are about
    /// another number of layers, [`SelectError::InvalidCosine`] if one is not a number.
    pub fn layer_cosines(&self, method: &'static str) -> Result<&[f64], SelectError> {
        let step = self.step;
        let cosines = self.layer_cosines.or(self.recorded_scores);
        let cosines = cosines.ok_or(SelectError::NoLayerCosines { method, step })?;
        self.expect_length(method, cosines.len())?;
        match cosines.iter().position(|cosine| !cosine.is_finite()) {
            Some(layer) => Err(SelectError::InvalidCosine { step, layer, cosine: cosines[layer] }),
            None => Ok(cosines),
        }
    }

    /// The number a layer about the frozen weights.
    ///
    /// # Errors
    /// [`SelectError::NoWeights`] if they were not measured, [`SelectError::EvidenceLayers`] if they are about another
    /// number of layers, [`SelectError::InvalidWeight`] if one is no size.
    pub fn weights(&self, method: &'static str) -> Result<&[f64], SelectError> {
        let weights = self.weights.or(self.recorded_scores);
        let weights = weights.ok_or(SelectError::NoWeights { method, step: self.step })?;
        self.expect_length(method, weights.len())?;
        match weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            Some(layer) => Err(SelectError::InvalidWeight { method, layer, number: weights[layer] }),
            None => Ok(weights),
        }
    }

    /// The loss of a training batch with the adapters of `suppressed` scaled by `factor`.
    ///
    /// # Errors
    /// [`SelectError::NoProbe`] if losses can't be measured here, [`SelectError::ProbeFailed`] if this one could not
    /// be, [`SelectError::ProbeLoss`] if it is not a number.
    pub fn probe(
        &mut self,
        method: &'static str,
        suppressed: &LayerSet,
        factor: f64,
    ) -> Result<f64, SelectError> {
        let step = self.step;
        let probe = self.probe.as_mut().ok_or(SelectError::NoProbe { method, step })?;
        let loss = probe.loss(suppressed, factor).ok_or(SelectError::ProbeFailed { method, step })?;
        if loss.is_finite() { Ok(loss) } else { Err(SelectError::ProbeLoss { method, step, loss }) }
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

    /// Confirms that a list of the evidence is about all layers.
    pub(crate) fn expect_length(&self, method: &'static str, found: usize) -> Result<(), SelectError> {
        if found == self.layers {
            return Ok(());
        }
        Err(SelectError::EvidenceLayers { method, step: self.step, expected: self.layers, found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StepDraws;

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

    #[test]
    fn recorded_scores_stand_in_for_cosines_and_weights_but_not_before_measured_ones() {
        let mut draws = StepDraws::new(0, 0);
        let evidence = Evidence::new(0, 2, &mut draws).with_recorded_scores(&[0.5, 0.25]);
        assert_eq!(evidence.layer_cosines("ir"), Ok([0.5, 0.25].as_slice()));
        assert_eq!(evidence.weights("ir"), Ok([0.5, 0.25].as_slice()));
        let evidence = evidence.with_layer_cosines(&[-1.0, 1.0]).with_weights(&[3.0, 4.0]);
        assert_eq!(evidence.layer_cosines("ir"), Ok([-1.0, 1.0].as_slice()));
        assert_eq!(evidence.weights("ir"), Ok([3.0, 4.0].as_slice()));
    }
}

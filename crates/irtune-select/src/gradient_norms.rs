//! Norms of the adapters' gradients, as an engine measures them.

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
}

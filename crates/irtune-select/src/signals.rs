//! What a policy asks to have measured.

/// Which evidence a policy needs in the step to come; nothing else is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Signals {
    /// The L2 norm of every adapter parameter's gradient in the layers that train, before clipping.
    pub gradient_norms: bool,
    /// The cosine between input and output of every layer.
    pub layer_cosines: bool,
    /// One number a layer about the frozen weights; a policy asks for it until it has been given it once.
    pub weights: Option<WeightMeasure>,
    /// Losses with the adapters of some layers scaled down, through [`Evidence::probe`](crate::Evidence::probe).
    pub probes: bool,
}

/// What the number a layer about the frozen weights is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightMeasure {
    /// L2 norm over all values of the attention's output projection.
    OutputProjection,
    /// Mean over the layer's matrices of their singular values' signal-to-noise ratio, as Spectrum has it.
    SignalToNoise,
}

impl Signals {
    /// Nothing has to be measured.
    pub const fn none() -> Signals {
        Signals { gradient_norms: false, layer_cosines: false, weights: None, probes: false }
    }

    /// Gradient norms have to be measured.
    pub const fn gradient_norms() -> Signals {
        Signals { gradient_norms: true, ..Signals::none() }
    }

    /// Layer cosines have to be measured.
    pub const fn layer_cosines() -> Signals {
        Signals { layer_cosines: true, ..Signals::none() }
    }

    /// A number a layer about the weights has to be measured, before the choice.
    pub const fn weights(measure: WeightMeasure) -> Signals {
        Signals { weights: Some(measure), ..Signals::none() }
    }

    /// Losses have to be measured whenever the choice asks for one.
    pub const fn probes() -> Signals {
        Signals { probes: true, ..Signals::none() }
    }
}

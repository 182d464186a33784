//! Activations of bottleneck adapters.

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Hyperbolic tangent.
    Tanh,
    /// `max(0, x)`; its slope at 0 is 0, as in PyTorch.
    Relu,
    /// `x · Φ(x)`, Φ the normal distribution.
    Gelu,
}

//! Activations of plain MLPs and of bottleneck adapters.

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Hyperbolic tangent.
    Tanh,
    /// `max(0, x)`; its slope at 0 is 0, as in PyTorch.
    Relu,
    /// `x · Φ(x)`, Φ the normal distribution.
    Gelu,
    /// `x · (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`, close to [`Activation::Gelu`]: `gelu_new` and `gelu_pytorch_tanh`.
    GeluTanh,
}

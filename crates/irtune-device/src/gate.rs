//! Activations of a gated MLP.

/// The function of a gate in `f(gate) ∘ up`.
///
/// # Source
/// Shazeer, "GLU Variants Improve Transformer", 2020.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// `x · sigmoid(x)`: SwiGLU.
    Silu,
    /// `x · Φ(x)` by its approximation with a hyperbolic tangent: GeGLU as Gemma has it.
    GeluTanh,
}

//! Layer norm, forward beside backward: each row less its mean, over its standard deviation, times a gain, plus a bias.
//!
//! Rows are kept for the backward less their means: of a row of 16-bit values far from zero, little would be left of
//! what tells its values apart. A row of `width` values costs some 8 · width additions and multiplications either way.
//!
//! # Source
//! Ba, Kiros & Hinton, "Layer Normalization", 2016; `torch.nn.LayerNorm`.

use crate::{Memory, Norm, NormInput};

/// The parameters of a layer norm.
pub struct LayerNorm<'a, D: Memory + ?Sized> {
    /// Gain, width, and what is added to the variance.
    pub norm: Norm<'a, D>,
    /// The buffer that holds the bias, `[width]`, and where in it.
    pub bias: (&'a D::Floats, usize),
}

/// Operations of layer norms.
pub trait LayerNormOps: Memory {
    /// Layer norm of `rows` rows. `kept` gets the rows less their means, `[rows, width]`, where a backward will follow;
    /// `rstd`: reciprocal standard deviations, `[rows]`.
    fn layer_norm(
        &self,
        norm: LayerNorm<Self>,
        input: &Self::Floats,
        rows: usize,
        kept: Option<&mut Self::Operands>,
        out: &mut Self::Operands,
        rstd: &mut Self::Floats,
    );
    /// The same into f32, for what the head reads.
    fn layer_norm_floats(
        &self,
        norm: LayerNorm<Self>,
        input: &Self::Floats,
        rows: usize,
        out: &mut Self::Floats,
        rstd: &mut Self::Floats,
    );
    /// Recomputes the output from the kept rows.
    fn layer_norm_recompute(
        &self,
        norm: LayerNorm<Self>,
        kept: NormInput<Self, Self::Operands>,
        out: &mut Self::Operands,
    );
    /// Adds the input's gradient to `gradient`.
    fn layer_norm_backward(
        &self,
        norm: Norm<Self>,
        kept: NormInput<Self, Self::Operands>,
        out_gradient: &Self::Floats,
        gradient: &mut Self::Floats,
    );
    /// The same for an input that was kept as it was, in f32.
    fn layer_norm_floats_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Self::Floats>,
        out_gradient: &Self::Floats,
        gradient: &mut Self::Floats,
    );
    /// Adds the gradients of gain and bias, `[width]` each, to `gradient` from these offsets on.
    fn layer_norm_parameters_backward(
        &self,
        kept: NormInput<Self, Self::Operands>,
        width: usize,
        out_gradient: &Self::Floats,
        gradient: &mut Self::Floats,
        offsets: [usize; 2],
    );
}

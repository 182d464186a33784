//! Operations of a decoder layer, each forward beside its backward.

use crate::{
    Attention, AttentionGradients, AttentionInputs, AttentionOutputs, Gate, Memory, RowSet, Side, Slot,
};

/// The parameters of an RMS norm.
pub struct Norm<'a, D: Memory + ?Sized> {
    /// The buffer that holds the gain, `[width]`.
    pub gain: &'a D::Floats,
    /// Where in it the gain begins.
    pub offset: usize,
    /// Values that are normalised together.
    pub width: usize,
    /// Added to the mean of squares.
    pub epsilon: f32,
    /// Added to the gain before it multiplies.
    pub plus: f32,
}

/// What a norm's backward reads of its forward; `I` is the kept input's buffer.
pub struct NormInput<'a, D: Memory + ?Sized, I> {
    /// The input, `[rows, width]`.
    pub values: &'a I,
    /// Reciprocal root mean squares, `[rows]`.
    pub rstd: &'a D::Floats,
    /// Rows in use.
    pub rows: usize,
}

impl<D: Memory + ?Sized> Clone for Norm<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Memory + ?Sized> Copy for Norm<'_, D> {}

impl<D: Memory + ?Sized, I> Clone for NormInput<'_, D, I> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Memory + ?Sized, I> Copy for NormInput<'_, D, I> {}

/// Operations of a decoder layer, and of the moves between its rows.
pub trait DecoderOps: Memory {
    /// Embedding rows of the batch's tokens times a factor, `[tokens, width]`.
    fn embed(&self, table: &Self::Weight, layout: &Self::Layout, factor: f32, out: &mut Self::Floats);
    /// Picks the rows that are read, of `width` operands each.
    fn gather(&self, input: &Self::Operands, width: usize, layout: &Self::Layout, out: &mut Self::Operands);
    /// Picks the rows that are read, of `width` f32 values each.
    fn gather_floats(
        &self,
        input: &Self::Floats,
        width: usize,
        layout: &Self::Layout,
        out: &mut Self::Floats,
    );
    /// The inverse of [`DecoderOps::gather_floats`] into all rows, zero elsewhere.
    fn scatter_floats(
        &self,
        input: &Self::Floats,
        width: usize,
        layout: &Self::Layout,
        out: &mut Self::Floats,
    );
    /// Adds rows of `width` f32 values to the rows that are read.
    fn add_rows(&self, input: &Self::Floats, width: usize, layout: &Self::Layout, out: &mut Self::Floats);
    /// Adds to a result how little a layer turns its input: the mean over the batch's positions of the cosine between
    /// the sums over the examples of its input rows and of its output rows there.
    ///
    /// # Shapes
    /// `input`: `[tokens, width]`; `output`: `[rows of the set, width]`.
    fn add_mean_cosine(
        &self,
        input: &Self::Floats,
        output: &Self::Floats,
        width: usize,
        layout: &Self::Layout,
        rows: RowSet,
        out: Slot<Self>,
    );

    /// RMS norm of `rows` rows; `rstd`: `[rows]`, kept for the backward.
    fn rms_norm(
        &self,
        norm: Norm<Self>,
        input: &Self::Floats,
        rows: usize,
        out: &mut Self::Operands,
        rstd: &mut Self::Floats,
    );
    /// The same into f32, for what the head reads.
    fn rms_norm_floats(
        &self,
        norm: Norm<Self>,
        input: &Self::Floats,
        rows: usize,
        out: &mut Self::Floats,
        rstd: &mut Self::Floats,
    );
    /// The same added to f32 values.
    fn rms_norm_add(
        &self,
        norm: Norm<Self>,
        input: &Self::Floats,
        rows: usize,
        out: &mut Self::Floats,
        rstd: &mut Self::Floats,
    );
    /// Adds `factor · input` of the first `length` values.
    fn add_scaled(&self, input: &Self::Floats, factor: f32, length: usize, out: &mut Self::Floats);
    /// Copies the first `length` operands.
    fn copy_operands(&self, input: &Self::Operands, length: usize, out: &mut Self::Operands);
    /// Recomputes the norm's output from the kept input.
    fn rms_norm_recompute(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Self::Operands>,
        out: &mut Self::Operands,
    );
    /// Adds the norm's input gradient to `gradient`.
    fn rms_norm_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Self::Operands>,
        out_gradient: &Self::Floats,
        gradient: &mut Self::Floats,
    );
    /// The same for an input that was kept in f32.
    fn rms_norm_floats_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Self::Floats>,
        out_gradient: &Self::Floats,
        gradient: &mut Self::Floats,
    );
    /// Adds the gradient of the norm's gain, `[width]`, to `gradient` from `offset` on.
    fn rms_norm_gain_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Self::Operands>,
        out_gradient: &Self::Floats,
        gradient: &mut Self::Floats,
        offset: usize,
    );

    /// RMS norm of operands: of every head of queries or keys, where `rows` counts heads; `rstd`: `[rows]`.
    fn rms_norm_operands(
        &self,
        norm: Norm<Self>,
        input: &Self::Operands,
        rows: usize,
        out: &mut Self::Operands,
        rstd: &mut Self::Floats,
    );
    /// Replaces the gradient of [`DecoderOps::rms_norm_operands`]' output by that of its input.
    fn rms_norm_operands_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Self::Operands>,
        gradient: &mut Self::Operands,
    );
    /// Adds the gradient of the gain, `[width]`, to `gradient` from `offset` on.
    fn rms_norm_operands_gain_backward(
        &self,
        norm: Norm<Self>,
        input: NormInput<Self, Self::Operands>,
        out_gradient: &Self::Operands,
        gradient: &mut Self::Floats,
        offset: usize,
    );

    /// Rotates all heads by their positions' angles, or back; both times with the table's factors.
    fn rotary(
        &self,
        values: &mut Self::Operands,
        columns: usize,
        table: &Self::Rotary,
        layout: &Self::Layout,
        rows: RowSet,
        side: Side,
    );

    /// Attention; `logsumexp`: `[query rows, heads]`, kept for the backward.
    fn attention(
        &self,
        attention: Attention<Self>,
        inputs: &AttentionInputs<Self>,
        out: &mut Self::Operands,
        logsumexp: &mut Self::Floats,
    );
    /// Gradients of queries, keys and values.
    fn attention_backward(
        &self,
        attention: Attention<Self>,
        inputs: &AttentionInputs<Self>,
        outputs: AttentionOutputs<Self>,
        out_gradient: &Self::Operands,
        gradients: AttentionGradients<Self>,
    );

    /// `f(gate) ∘ up` of the first `length` values.
    fn gated(
        &self,
        kind: Gate,
        gate: &Self::Operands,
        up: &Self::Operands,
        length: usize,
        out: &mut Self::Operands,
    );
    /// Replaces gate and up by their gradients.
    fn gated_backward(
        &self,
        kind: Gate,
        out_gradient: &Self::Operands,
        length: usize,
        gate: &mut Self::Operands,
        up: &mut Self::Operands,
    );
}

//! The seam between the decoder and the hardware: the operations a decoder with adapters is made of.
//!
//! Everything above this trait is written once. Buffers belong to the device; what describes a batch (token ids,
//! positions, segments, row numbers) is small and stays on the host. Matrices are row-major and packed: a buffer may
//! be longer than the rows in use, which always start at its beginning.

pub use irtune_cpu::{
    attention::{Segment, Shape as AttentionShape},
    gemm::Side,
    ops::{activation::Activation, adamw::AdamW, loss::LossOptions, rotary::RotaryTable},
};

use crate::weights::WeightError;

/// Where an operation's weight side comes from.
pub enum Right<'a, D: Device + ?Sized> {
    /// A frozen matrix of the base.
    Frozen(&'a D::Weight),
    /// Trained values, `[rows, columns]` from `offset` on.
    Trained {
        /// The buffer that holds them.
        values: &'a D::Floats,
        /// Index of the first value.
        offset: usize,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// The trained copy of a matrix of the base, `[rows, columns]` from `offset` on.
    Master {
        /// The buffer that holds it.
        values: &'a D::Floats,
        /// Index of the first value.
        offset: usize,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
    /// Activations, `[rows, columns]`.
    Operands(&'a D::Operands, usize, usize),
    /// A frozen matrix and what its adapter adds, as one.
    Merged(&'a D::Weight, &'a D::Merged),
}

/// Where the parameters of a low-rank adapter are: what it adds to its matrix is `scaling · B A`.
pub struct LowRank<'a, D: Device + ?Sized> {
    /// The buffer that holds them.
    pub values: &'a D::Floats,
    /// Offset of A, `[rank, inputs]`.
    pub a: usize,
    /// Offset of B transposed, `[rank, outputs]`.
    pub b: usize,
    /// Rows of both.
    pub rank: usize,
    /// Factor of their product.
    pub scaling: f32,
}

/// A dropout mask `[rows, columns]` and the factor of what it keeps.
pub struct MaskRef<'a, D: Device + ?Sized> {
    /// One bit a value.
    pub words: &'a D::Words,
    /// `1 / (1 − p)`
    pub scale: f32,
}

/// One summand of a product.
pub struct Term<'a, D: Device + ?Sized> {
    /// `[rows, summed]`
    pub left: &'a D::Operands,
    /// The weight side.
    pub right: Right<'a, D>,
    /// How the weight side is read.
    pub side: Side,
    /// Laid over this summand's result.
    pub mask: Option<MaskRef<'a, D>>,
}

impl<'a, D: Device + ?Sized> Term<'a, D> {
    /// `left · rightᵀ`
    pub fn forward(left: &'a D::Operands, right: Right<'a, D>) -> Self {
        Self { left, right, side: Side::Forward, mask: None }
    }

    /// `left · right`
    pub fn backward(left: &'a D::Operands, right: Right<'a, D>) -> Self {
        Self { left, right, side: Side::Backward, mask: None }
    }
}

/// Where a product goes, `[rows, columns]`.
pub enum Out<'a, D: Device + ?Sized> {
    /// Overwrites operands.
    Operands(&'a mut D::Operands),
    /// Overwrites f32 values.
    Store(&'a mut D::Floats),
    /// Adds to f32 values from the offset on.
    Add(&'a mut D::Floats, usize),
}

/// Queries, keys and values, each with its rows at the beginning of a buffer.
pub struct AttentionInputs<'a, D: Device + ?Sized> {
    /// `[query rows, heads · head_size]`
    pub queries: &'a D::Operands,
    /// `[key rows, key_value_heads · head_size]`
    pub keys: &'a D::Operands,
    /// `[key rows, key_value_heads · head_size]`
    pub values: &'a D::Operands,
}

/// Gradients of [`AttentionInputs`], and f32 working memory of `partial rows · 2 · key columns`.
pub struct AttentionGradients<'a, D: Device + ?Sized> {
    /// `[query rows, heads · head_size]`
    pub queries: &'a mut D::Operands,
    /// `[key rows, key_value_heads · head_size]`
    pub keys: &'a mut D::Operands,
    /// `[key rows, key_value_heads · head_size]`
    pub values: &'a mut D::Operands,
    /// What segments add to shared rows.
    pub partial: &'a mut D::Floats,
}

/// Where DoRA's parameters are in a group's values, and how large.
#[derive(Clone, Copy, Debug)]
pub struct DirectionPlace {
    /// Offset of A, `[rank, inputs]`.
    pub a: usize,
    /// Offset of B transposed, `[rank, outputs]`.
    pub b: usize,
    /// Offset of the magnitudes, `[outputs]`.
    pub magnitude: usize,
    /// Rows of A.
    pub rank: usize,
    /// Columns of the frozen matrix.
    pub inputs: usize,
    /// Rows of the frozen matrix.
    pub outputs: usize,
    /// Factor of `B A`.
    pub scaling: f32,
}

/// What is known of a frozen matrix's rows with DoRA's beside them, `[outputs]` each.
pub struct Direction<D: Device + ?Sized> {
    /// Squares of the frozen rows' norms.
    pub squares: D::Floats,
    /// Norms of the rows with `B A` added.
    pub norms: D::Floats,
    /// Magnitudes over norms; 1 where the norm is 0.
    pub factors: D::Floats,
    /// Factors less 1.
    pub excess: D::Floats,
}

impl<D: Device> Direction<D> {
    /// With a B of zero and magnitudes that are the norms: the factors are 1.
    pub fn new(device: &D, squares: &[f32], norms: &[f32]) -> Self {
        let filled = |values: &[f32]| {
            let mut floats = device.floats(values.len());
            device.upload(values, &mut floats, 0);
            floats
        };
        let outputs = squares.len();
        Self {
            squares: filled(squares),
            norms: filled(norms),
            factors: filled(&vec![1.0; outputs]),
            excess: device.floats(outputs),
        }
    }
}

/// Working memory of [`Device::direction`] and its backward.
pub struct DirectionMemory<D: Device + ?Sized> {
    /// `[rank, outputs]`
    pub cross: D::Floats,
    /// `[rank, rank]`
    pub own: D::Floats,
    /// `[rank, outputs]`
    pub scaled: D::Floats,
    /// `[rank, rank]`
    pub square: D::Floats,
    /// `[outputs]`
    pub quotients: D::Floats,
}

impl<D: Device> DirectionMemory<D> {
    /// For matrices of up to this rank and so many outputs.
    pub fn new(device: &D, rank: usize, outputs: usize) -> Self {
        Self {
            cross: device.floats(rank * outputs),
            own: device.floats(rank * rank),
            scaled: device.floats(rank * outputs),
            square: device.floats(rank * rank),
            quotients: device.floats(outputs),
        }
    }
}

/// What a decoder with adapters asks of a device. Shapes that disagree are a mistake of the caller and panic.
pub trait Device: Send + Sync {
    /// Activations that enter products.
    type Operands: Send + Sync;
    /// f32 values: residual stream, parameters, gradients, moments.
    type Floats: Send + Sync;
    /// Dropout masks.
    type Words: Send + Sync;
    /// A frozen matrix.
    type Weight: Send + Sync;
    /// A frozen matrix and what its adapter adds, as one, for classifying.
    type Merged: Send + Sync;

    /// Name of the operands' precision.
    fn precision(&self) -> &'static str;

    /// Bytes of one operand.
    fn operand_bytes(&self) -> usize;

    /// A frozen matrix of the base, by its name in transformers.
    ///
    /// # Errors
    /// When the base has no such tensor.
    fn weight(&self, name: &str) -> Result<Self::Weight, WeightError>;

    /// Bytes of the merged matrices of such shapes; `None` where merging gains too little for its memory.
    fn merged_bytes(&self, outputs: usize, inputs: usize) -> Option<usize>;

    /// Merges a frozen matrix with what its adapter adds; `None` where the matrix alone is as fast as it is.
    fn merge(&self, weight: &Self::Weight, low_rank: Option<LowRank<Self>>) -> Option<Self::Merged>;

    /// Zeroed operands.
    fn operands(&self, length: usize) -> Self::Operands;
    /// Zeroed f32 values.
    fn floats(&self, length: usize) -> Self::Floats;
    /// Zeroed mask words.
    fn words(&self, length: usize) -> Self::Words;
    /// Copies from the host to `offset`.
    fn upload(&self, from: &[f32], to: &mut Self::Floats, offset: usize);
    /// Copies to the host from `offset`.
    fn download(&self, from: &Self::Floats, offset: usize, to: &mut [f32]);
    /// Copies the first `length` values.
    fn copy(&self, from: &Self::Floats, to: &mut Self::Floats, length: usize);
    /// Copies `length` values from `offset` on to the beginning of another buffer.
    fn copy_part(&self, from: &Self::Floats, offset: usize, to: &mut Self::Floats, length: usize);
    /// Decodes a frozen matrix, in transformers' order of rows, to `offset`.
    fn decode(&self, weight: &Self::Weight, to: &mut Self::Floats, offset: usize);
    /// Sets `length` values from `offset` on to zero.
    fn clear(&self, values: &mut Self::Floats, offset: usize, length: usize);

    /// `scale · Σ terms`, `[rows, columns]`.
    fn product(&self, terms: &[Term<Self>], scale: f32, rows: usize, columns: usize, out: Out<Self>);
    /// `[rows, columns]` to `[columns, rows]`.
    fn transpose(&self, input: &Self::Operands, rows: usize, columns: usize, out: &mut Self::Operands);
    /// Rounds the first `length` values.
    fn round(&self, input: &Self::Floats, length: usize, out: &mut Self::Operands);

    /// Embedding rows of the tokens, `[tokens, width]`.
    fn embed(&self, table: &Self::Weight, tokens: &[u32], out: &mut Self::Floats);
    /// Picks rows of `width` operands.
    fn gather(&self, input: &Self::Operands, width: usize, indices: &[u32], out: &mut Self::Operands);
    /// Picks rows of `width` f32 values.
    fn gather_floats(&self, input: &Self::Floats, width: usize, indices: &[u32], out: &mut Self::Floats);
    /// The inverse of [`Device::gather_floats`] into `rows` rows, zero elsewhere.
    fn scatter_floats(
        &self,
        input: &Self::Floats,
        width: usize,
        indices: &[u32],
        rows: usize,
        out: &mut Self::Floats,
    );
    /// Adds rows of `width` f32 values to the rows `indices`.
    fn add_rows(&self, input: &Self::Floats, width: usize, indices: &[u32], out: &mut Self::Floats);

    /// RMS norm of `rows` rows; `scales`: `[rows]`, kept for the backward.
    fn rms_norm(
        &self,
        input: &Self::Floats,
        rows: usize,
        gain: &Self::Floats,
        epsilon: f32,
        out: &mut Self::Operands,
        scales: &mut Self::Floats,
    );
    /// The same output again, from the kept input and scales.
    fn rms_norm_again(
        &self,
        input: &Self::Operands,
        rows: usize,
        gain: &Self::Floats,
        scales: &Self::Floats,
        out: &mut Self::Operands,
    );
    /// The same into f32, for what the head reads.
    fn rms_norm_floats(
        &self,
        input: &Self::Floats,
        rows: usize,
        gain: &Self::Floats,
        epsilon: f32,
        out: &mut Self::Floats,
        scales: &mut Self::Floats,
    );
    /// Adds the norm's input gradient to `gradient`.
    fn rms_norm_backward(
        &self,
        input: &Self::Operands,
        rows: usize,
        gain: &Self::Floats,
        scales: &Self::Floats,
        out_gradient: &Self::Floats,
        gradient: &mut Self::Floats,
    );

    /// The same for an input that was kept in f32.
    fn rms_norm_floats_backward(
        &self,
        input: &Self::Floats,
        rows: usize,
        gain: &Self::Floats,
        scales: &Self::Floats,
        out_gradient: &Self::Floats,
        gradient: &mut Self::Floats,
    );

    /// Adds the gradient of the norm's gain, `[width]`, to `gradient` from `offset` on.
    #[allow(clippy::too_many_arguments)]
    fn rms_norm_gain_backward(
        &self,
        input: &Self::Operands,
        rows: usize,
        width: usize,
        scales: &Self::Floats,
        out_gradient: &Self::Floats,
        gradient: &mut Self::Floats,
        offset: usize,
    );

    /// Turns all heads by their positions' angles, or back.
    fn rotary(
        &self,
        rows: &mut Self::Operands,
        columns: usize,
        table: &RotaryTable,
        positions: &[u32],
        side: Side,
    );
    /// Attention; `log_sums`: `[query rows, heads]`, kept for the backward.
    fn attention(
        &self,
        shape: &AttentionShape,
        inputs: &AttentionInputs<Self>,
        out: &mut Self::Operands,
        log_sums: &mut Self::Floats,
    );
    /// Gradients of queries, keys and values.
    fn attention_backward(
        &self,
        shape: &AttentionShape,
        inputs: &AttentionInputs<Self>,
        out: &Self::Operands,
        log_sums: &Self::Floats,
        out_gradient: &Self::Operands,
        gradients: AttentionGradients<Self>,
    );

    /// `silu(gate) ∘ up` of the first `length` values.
    fn swiglu(&self, gate: &Self::Operands, up: &Self::Operands, length: usize, out: &mut Self::Operands);
    /// Replaces gate and up by their gradients.
    fn swiglu_backward(
        &self,
        out_gradient: &Self::Operands,
        length: usize,
        gate: &mut Self::Operands,
        up: &mut Self::Operands,
    );

    /// Draws a mask for rows of `columns` values, each row by its own key.
    fn draw_mask(&self, site: u64, row_keys: &[u64], columns: usize, dropout: f32, out: &mut Self::Words);
    /// `mask ∘ input`, `[rows, columns]`.
    fn apply_mask(
        &self,
        input: &Self::Operands,
        rows: usize,
        columns: usize,
        mask: MaskRef<Self>,
        out: &mut Self::Operands,
    );

    /// `out = left − right` of the first `length` values.
    fn subtract(
        &self,
        left: &Self::Operands,
        right: &Self::Operands,
        length: usize,
        out: &mut Self::Operands,
    );
    /// `out = addend + factors ∘ input`, `[rows, columns]`, with the factors of the columns from an offset on; they are 1
    /// when not given. Goes to operands, or is added, then without an addend.
    fn scale_columns(
        &self,
        input: &Self::Operands,
        factors: Option<(&Self::Floats, usize)>,
        addend: Option<&Self::Floats>,
        rows: usize,
        columns: usize,
        out: Out<Self>,
    );
    /// Adds `Σ_rows left ∘ right`, `[columns]`, to the values from the offset on.
    fn add_column_products(
        &self,
        left: &Self::Operands,
        right: &Self::Operands,
        rows: usize,
        columns: usize,
        out: &mut Self::Floats,
        offset: usize,
    );
    /// `factor · activation(input)` of the first `length` values.
    fn activate(
        &self,
        activation: Activation,
        input: &Self::Operands,
        factor: f32,
        length: usize,
        out: &mut Self::Operands,
    );
    /// Replaces the gradient of [`Device::activate`]'s output by that of its input.
    fn activate_backward(
        &self,
        activation: Activation,
        input: &Self::Operands,
        factor: f32,
        length: usize,
        gradient: &mut Self::Operands,
    );
    /// Norms and factors of DoRA's rows, from the parameters in `values`.
    fn direction(
        &self,
        frozen: &Self::Weight,
        place: DirectionPlace,
        values: &Self::Floats,
        known: &mut Direction<Self>,
        memory: &mut DirectionMemory<Self>,
    );
    /// Adds the gradients of the magnitudes, and unless the norm is `detached` of A and B through the norm.
    ///
    /// # Shapes
    /// `factor_gradient`: `[outputs]`; `gradient`: as `values`.
    #[allow(clippy::too_many_arguments)]
    fn direction_backward(
        &self,
        frozen: &Self::Weight,
        place: DirectionPlace,
        values: &Self::Floats,
        known: &Direction<Self>,
        factor_gradient: &Self::Floats,
        detached: bool,
        memory: &mut DirectionMemory<Self>,
        gradient: &mut Self::Floats,
    );

    /// `logits = pooled · headᵀ` in f32; `pooled`: `[examples, width]`, `head`: `[labels, width]`.
    fn head(&self, pooled: &Self::Floats, head: &Self::Floats, shape: HeadShape, logits: &mut Self::Floats);
    /// Gradients of [`Device::head`]: of `pooled` (overwritten), and added to that of the head if there is one.
    fn head_backward(
        &self,
        pooled: &Self::Floats,
        head: &Self::Floats,
        shape: HeadShape,
        logits_gradient: &Self::Floats,
        pooled_gradient: &mut Self::Floats,
        head_gradient: Option<&mut Self::Floats>,
    );
    /// Sum of the examples' cross-entropies, counted as the options say; `gradient` becomes that of the sum times `factor`.
    fn cross_entropy(
        &self,
        logits: &Self::Floats,
        targets: &[u32],
        labels: usize,
        options: &LossOptions,
        factor: f64,
        gradient: &mut Self::Floats,
    ) -> f64;

    /// Logarithm of the sum of the exponentials of every row of `[rows, columns]` logits; `out`: `[rows]`.
    fn log_sums(&self, logits: &Self::Floats, columns: usize, out: &mut [f64]);
    /// Turns `[rows, columns]` logits into the gradient of `Σ factor · (log_sum − logit of the target)` over the rows.
    fn token_gradient(
        &self,
        logits: &mut Self::Floats,
        columns: usize,
        log_sums: &[f64],
        targets: &[u32],
        factors: &[f64],
    );

    /// One AdamW step; `count` includes this one.
    fn adamw(&self, settings: &AdamW, count: u64, state: OptimizerSlices<Self>);
    /// Sum of squares of `length` values from `offset` on.
    fn sum_of_squares(&self, values: &Self::Floats, offset: usize, length: usize) -> f64;
    /// Multiplies all values.
    fn scale(&self, values: &mut Self::Floats, factor: f32);
}

/// Sizes of a classification head's product.
#[derive(Clone, Copy, Debug)]
pub struct HeadShape {
    /// Rows of the pooled states.
    pub examples: usize,
    /// Width of the pooled states.
    pub width: usize,
    /// Rows of the head.
    pub labels: usize,
}

/// A stretch of a group's parameters with its gradient and moments.
pub struct OptimizerSlices<'a, D: Device + ?Sized> {
    /// Parameters.
    pub values: &'a mut D::Floats,
    /// Their gradient.
    pub gradient: &'a D::Floats,
    /// First moment.
    pub first: &'a mut D::Floats,
    /// Second moment.
    pub second: &'a mut D::Floats,
    /// Where the stretch begins.
    pub from: usize,
    /// How many parameters it has.
    pub length: usize,
}

//! General matrix multiplication (GEMM): C = scale · (Σ A B + bias), with several GEMMs summed into one output.
//!
//! A is activations, `[rows, K]`. B is a weight: on the forward side `[columns, K]`, read transposed as a linear layer
//! does; on the backward side `[K, columns]`.

use crate::{MaskRef, Memory};

/// Which dimension of B is summed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `A · Bᵀ`: outputs are B's rows (a linear layer's forward).
    Forward,
    /// `A · B`: outputs are B's columns (a linear layer's input gradient).
    Backward,
}

/// An f32 matrix `[rows, columns]` inside a buffer.
pub struct FloatMatrix<'a, D: Memory + ?Sized> {
    /// The buffer that holds it.
    pub values: &'a D::Floats,
    /// Index of its first value.
    pub offset: usize,
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub columns: usize,
}

/// Where the B of a GEMM comes from.
pub enum BMatrix<'a, D: Memory + ?Sized> {
    /// A frozen matrix of the base.
    Frozen(&'a D::Weight),
    /// Parameters of an adapter.
    Trained(FloatMatrix<'a, D>),
    /// The trained copy of a matrix of the base; it may be multiplied in the precision that frozen matrices are.
    Master(FloatMatrix<'a, D>),
    /// Activations, `[rows, columns]`.
    Operands(&'a D::Operands, usize, usize),
    /// A frozen matrix and what its adapter adds, prepacked.
    Prepacked(&'a D::Weight, &'a D::Prepacked),
}

/// Where the parameters of a low-rank adapter are: what it adds to its matrix is `scaling · B A`.
pub struct LowRank<'a, D: Memory + ?Sized> {
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

/// One summand of a GEMM.
pub struct Term<'a, D: Memory + ?Sized> {
    /// `[rows, K]`
    pub a: &'a D::Operands,
    /// The weight.
    pub b: BMatrix<'a, D>,
    /// How the weight is read.
    pub side: Side,
    /// Laid over this summand's result.
    pub mask: Option<MaskRef<'a, D>>,
}

impl<'a, D: Memory + ?Sized> Term<'a, D> {
    /// `A · Bᵀ`
    pub fn forward(a: &'a D::Operands, b: BMatrix<'a, D>) -> Self {
        Self { a, b, side: Side::Forward, mask: None }
    }

    /// `A · B`
    pub fn backward(a: &'a D::Operands, b: BMatrix<'a, D>) -> Self {
        Self { a, b, side: Side::Backward, mask: None }
    }
}

/// Where a result goes, `[rows, columns]`.
pub enum Output<'a, D: Memory + ?Sized> {
    /// Overwrites operands.
    Operands(&'a mut D::Operands),
    /// Overwrites f32 values.
    Store(&'a mut D::Floats),
    /// Adds to f32 values from the offset on.
    Add(&'a mut D::Floats, usize),
}

/// What happens to a GEMM's sums before they are written: `scale · (Σ terms + bias)`.
pub struct Epilogue<'a, D: Memory + ?Sized> {
    /// Factor of everything.
    pub scale: f32,
    /// The buffer that holds a vector `[columns]`, and where in it: added to every row.
    pub bias: Option<(&'a D::Floats, usize)>,
}

impl<D: Memory + ?Sized> Epilogue<'_, D> {
    /// The sums as they are.
    pub const PLAIN: Self = Self { scale: 1.0, bias: None };

    /// The sums times a factor.
    pub fn scaled(scale: f32) -> Self {
        Self { scale, bias: None }
    }
}

/// Matrix products, and the moves of operands that prepare them.
pub trait Gemm: Memory {
    /// `scale · (Σ terms + bias)`, `[rows, columns]`; without terms the bias alone.
    fn gemm(
        &self,
        terms: &[Term<Self>],
        epilogue: Epilogue<Self>,
        rows: usize,
        columns: usize,
        out: Output<Self>,
    );

    /// Bytes of a prepacked matrix of this shape; `None` where prepacking gains too little for its memory.
    fn prepacked_bytes(&self, outputs: usize, inputs: usize) -> Option<usize>;

    /// Prepacks a frozen matrix with what its adapter adds; `None` where the matrix alone is as fast as it is.
    fn prepack(&self, weight: &Self::Weight, low_rank: Option<LowRank<Self>>) -> Option<Self::Prepacked>;

    /// `[rows, columns]` to `[columns, rows]`.
    fn transpose(&self, input: &Self::Operands, rows: usize, columns: usize, out: &mut Self::Operands);

    /// Adds `Σ_rows input`, `[columns]`, to the values from the offset on: the gradient of a bias.
    fn add_column_sums(
        &self,
        input: &Self::Operands,
        rows: usize,
        columns: usize,
        out: &mut Self::Floats,
        offset: usize,
    );

    /// Rounds `length` values from `offset` on to operands.
    fn round(&self, input: &Self::Floats, offset: usize, length: usize, out: &mut Self::Operands);
}

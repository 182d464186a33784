//! What DoRA keeps beside its parameters.
//!
//! # Source
//! Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation", 2024, arXiv 2402.09353.

use crate::{DeviceError, Memory};

/// Where DoRA's parameters are in a buffer, and how large.
#[derive(Clone, Copy, Debug)]
pub struct DoraPlace {
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

/// A frozen matrix with DoRA's parameters beside it.
pub struct DoraMatrix<'a, D: Memory + ?Sized> {
    /// The frozen matrix, `[outputs, inputs]`.
    pub frozen: &'a D::Weight,
    /// The buffer that holds the parameters.
    pub values: &'a D::Floats,
    /// Where in it.
    pub place: DoraPlace,
}

/// What is known of a frozen matrix's rows with DoRA's beside them, `[outputs]` each.
pub struct DoraNorms<D: Memory + ?Sized> {
    /// Squares of the frozen rows' norms.
    pub squares: D::Floats,
    /// Norms of the rows with `B A` added.
    pub norms: D::Floats,
    /// Magnitudes over norms; 1 where the norm is 0.
    pub factors: D::Floats,
    /// Factors less 1.
    pub excess: D::Floats,
}

impl<D: Memory> DoraNorms<D> {
    /// With a B of zero and magnitudes that are the norms: the factors are 1.
    ///
    /// # Errors
    /// When there is no room for them.
    pub fn new(device: &D, squares: &[f32], norms: &[f32]) -> Result<Self, DeviceError> {
        let outputs = squares.len();
        Ok(Self {
            squares: device.filled(squares)?,
            norms: device.filled(norms)?,
            factors: device.filled(&vec![1.0; outputs])?,
            excess: device.floats(outputs, 1)?,
        })
    }
}

/// Working memory of [`AdapterOps::dora_norms`](crate::AdapterOps::dora_norms) and its backward.
pub struct DoraScratch<D: Memory + ?Sized> {
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

impl<D: Memory> DoraScratch<D> {
    /// For matrices of up to this rank and so many outputs.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn new(device: &D, rank: usize, outputs: usize) -> Result<Self, DeviceError> {
        Ok(Self {
            cross: device.floats(rank, outputs)?,
            own: device.floats(rank, rank)?,
            scaled: device.floats(rank, outputs)?,
            square: device.floats(rank, rank)?,
            quotients: device.floats(outputs, 1)?,
        })
    }
}

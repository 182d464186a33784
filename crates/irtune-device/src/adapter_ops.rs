//! Operations of adapters, each forward beside its backward.

use crate::{Activation, DoraMatrix, DoraNorms, DoraScratch, MaskRef, Memory, Output, RowSet};

/// Operations that only adapters need.
pub trait AdapterOps: Memory {
    /// Draws a mask for rows of `columns` values, each row by its own key and that of the site.
    fn draw_mask(
        &self,
        site: u64,
        layout: &Self::Layout,
        rows: RowSet,
        columns: usize,
        dropout: f32,
        out: &mut Self::Words,
    );
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
        out: Output<Self>,
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
    /// Replaces the gradient of [`AdapterOps::activate`]'s output by that of its input.
    fn activate_backward(
        &self,
        activation: Activation,
        input: &Self::Operands,
        factor: f32,
        length: usize,
        gradient: &mut Self::Operands,
    );

    /// Norms and factors of DoRA's rows.
    fn dora_norms(
        &self,
        matrix: DoraMatrix<Self>,
        norms: &mut DoraNorms<Self>,
        scratch: &mut DoraScratch<Self>,
    );
    /// Adds the gradients of the magnitudes, and unless the norm is `detached` of A and B through the norm.
    ///
    /// # Shapes
    /// `factor_gradient`: `[outputs]`; `gradient`: as the matrix's values.
    fn dora_norms_backward(
        &self,
        matrix: DoraMatrix<Self>,
        norms: &DoraNorms<Self>,
        factor_gradient: &Self::Floats,
        detached: bool,
        scratch: &mut DoraScratch<Self>,
        gradient: &mut Self::Floats,
    );
}

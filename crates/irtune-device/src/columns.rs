//! Columns of a wider matrix: a fused projection's output holds several outputs side by side.

use crate::Memory;

/// Some neighbouring columns of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Columns of the matrix.
    pub of: usize,
    /// The first.
    pub first: usize,
    /// How many.
    pub count: usize,
}

/// Operations on columns, each the other's backward.
pub trait ColumnOps: Memory {
    /// Copies columns of a wide matrix, `[rows, of]`, to one of their own, `[rows, count]`.
    fn split_columns(&self, wide: &Self::Operands, rows: usize, columns: Columns, out: &mut Self::Operands);
    /// Copies a matrix, `[rows, count]`, to columns of a wide one, `[rows, of]`.
    fn join_columns(&self, part: &Self::Operands, rows: usize, columns: Columns, wide: &mut Self::Operands);
}

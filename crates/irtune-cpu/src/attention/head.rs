//! What attention's forward and backward share: one head's rows gathered, packed and multiplied.
//!
//! Attention's matrices are a head wide and as long as an example, too small for the cutting of a GEMM. So both passes
//! use the GEMM's panels and microkernel themselves.

use std::ops::Range;

use irtune_device::{AttentionShape, Side, WeightView};

use crate::{
    gemm::{
        microkernel::{ARows, PrefetchRows, multiply},
        pack::{PanelRange, pack},
        tile::{Accumulate, AlignedTile, MR, NR, panel_length, panels},
    },
    matrix::Matrix,
    simd::{
        element::{Element, widen},
        level::Level,
    },
};

/// The columns of one head in a matrix of all heads.
#[derive(Clone, Copy)]
pub(super) struct HeadColumns {
    /// First column.
    pub(super) first: usize,
    /// Columns: the head's size.
    pub(super) size: usize,
}

/// Packed panels of one head's rows.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a, P> {
    pub(super) values: &'a [P],
    /// Values of K that they were packed over.
    pub(super) depth: usize,
}

/// Values of the panels of a matrix with `columns` columns, over `depth` values of K.
pub(super) fn panels_length<P: Element>(columns: usize, depth: usize) -> usize {
    panels(columns) * panel_length::<P>(depth)
}

/// Copies one head's rows of a segment and of those above it to `out`, `[reach, size]`.
pub(super) fn gather<E: Element, P: Element>(
    matrix: Matrix<E>,
    shape: &AttentionShape,
    index: usize,
    head: HeadColumns,
    out: &mut [P],
) {
    let size = head.size;
    for segment in shape.path(index) {
        let out = &mut out[segment.context * size..segment.reach() * size];
        gather_rows(matrix, segment.first_key..segment.first_key + segment.keys, head, out);
    }
}

/// Copies some rows of one head to `out`, `[rows, size]`.
pub(super) fn gather_rows<E: Element, P: Element>(
    matrix: Matrix<E>,
    rows: std::ops::Range<usize>,
    head: HeadColumns,
    out: &mut [P],
) {
    for (row, out) in rows.zip(out.chunks_exact_mut(head.size)) {
        widen(&matrix.data[row * matrix.stride + head.first..][..head.size], out);
    }
}

/// Packs all panels of `rows`, `[count, size]`.
pub(super) fn pack_all<P: Element>(rows: &[P], count: usize, size: usize, side: Side, out: &mut [P]) {
    let weight = WeightView::of(rows, count, size);
    let depth = if side == Side::Forward { size } else { count };
    for (index, panel) in out.chunks_exact_mut(panel_length::<P>(depth)).enumerate() {
        pack(&weight, PanelRange { side, column: index * NR, k: 0, depth }, panel);
    }
}

/// Multiplies a block of A with all panels and calls `write` with each row's number, first column and sums.
///
/// A may be shorter along K than what the panels were packed over. Only panels with some of these columns are computed, and
/// none behind them.
pub(super) fn multiply_all<P: Element>(
    level: Level,
    a: ARows<P>,
    panels: Panels<P>,
    columns: Range<usize>,
    mut write: impl FnMut(usize, usize, &[f32]),
) {
    debug_assert!(a.rows <= MR && a.depth <= panels.depth.next_multiple_of(P::K_PACK));
    let mut aligned = AlignedTile::ZERO;
    let tile = &mut aligned.0;
    let all = panels.values.chunks_exact(panel_length::<P>(panels.depth)).enumerate();
    for (index, panel) in all.skip(columns.start / NR) {
        let first = index * NR;
        if first >= columns.end {
            break;
        }
        multiply(level, a, panel, Accumulate::FromZero, PrefetchRows::NONE, tile);
        for (row, sums) in tile[..a.rows].iter().enumerate() {
            write(row, first, &sums[..NR.min(columns.end - first)]);
        }
    }
}

/// [`multiply_all`] into rows of `out`, `out_stride` apart: scores, or gradients of probabilities.
pub(super) fn multiply_into<P: Element>(
    level: Level,
    a: ARows<P>,
    panels: Panels<P>,
    columns: Range<usize>,
    out: &mut [f32],
    out_stride: usize,
) {
    multiply_all(level, a, panels, columns, |row, column, sums| {
        out[row * out_stride + column..][..sums.len()].copy_from_slice(sums);
    });
}

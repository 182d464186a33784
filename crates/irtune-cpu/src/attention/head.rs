//! Pieces that attention's forward and backward share: one head's rows gathered, packed and multiplied.

use super::Shape;
use crate::{
    element::{Element, widen},
    level::Level,
    matrix::Matrix,
    microkernel::{Ahead, Aligned, Begin, TILE, multiply},
    pack::{PANEL, Side, pack, panel_length},
    weight::Weight,
};

/// Values of the panels over `outputs` columns and `depth` summed values.
pub(super) fn panels_length<P: Element>(outputs: usize, depth: usize) -> usize {
    outputs.div_ceil(PANEL) * panel_length::<P>(depth)
}

/// Copies one head's rows of a segment and of those above it to `out`, `[reach, size]`.
pub(super) fn gather<E: Element, P: Element>(
    matrix: Matrix<E>,
    shape: &Shape,
    index: usize,
    first: usize,
    out: &mut [P],
) {
    let size = shape.head_size;
    for segment in shape.path(index) {
        let out = &mut out[segment.context * size..segment.reach() * size];
        gather_rows(matrix, segment.first_key, segment.keys, first, size, out);
    }
}

/// Copies `count` rows of one head from row `start` on to `out`, `[count, size]`.
pub(super) fn gather_rows<E: Element, P: Element>(
    matrix: Matrix<E>,
    start: usize,
    count: usize,
    first: usize,
    size: usize,
    out: &mut [P],
) {
    for (row, out) in (start..start + count).zip(out.chunks_exact_mut(size)) {
        widen(&matrix.data[row * matrix.stride + first..][..size], out);
    }
}

/// Packs all panels of `rows`, `[count, size]`.
pub(super) fn pack_all<P: Element>(rows: &[P], count: usize, size: usize, side: Side, out: &mut [P]) {
    let weight = Weight::of(rows, count, size);
    let depth = if side == Side::Forward { size } else { count };
    for (index, panel) in out.chunks_exact_mut(panel_length::<P>(depth)).enumerate() {
        pack(&weight, side, index * PANEL, 0, depth, panel);
    }
}

/// `out[row][..columns] = left · panels`, for at most [`TILE`] rows; `packed_depth` is what the panels were packed over.
#[allow(clippy::too_many_arguments)]
pub(super) fn multiply_all<P: Element>(
    level: Level,
    rows: usize,
    depth: usize,
    packed_depth: usize,
    columns: usize,
    left: &[P],
    stride: usize,
    panels: &[P],
    mut write: impl FnMut(usize, usize, &[f32]),
) {
    debug_assert!(rows <= TILE && depth <= packed_depth.next_multiple_of(P::GROUP));
    let mut aligned = Aligned::ZERO;
    let tile = &mut aligned.0;
    for (index, panel) in panels.chunks_exact(panel_length::<P>(packed_depth)).enumerate() {
        let first = index * PANEL;
        if first >= columns {
            break;
        }
        multiply(level, rows, depth, left, stride, panel, Begin::Zero, Ahead::NONE, tile);
        for (row, sums) in tile[..rows].iter().enumerate() {
            write(row, first, &sums[..PANEL.min(columns - first)]);
        }
    }
}

/// [`multiply_all`] over whole heads into rows of `out`, `out_stride` apart: scores, or gradients of their weights.
#[allow(clippy::too_many_arguments)]
pub(super) fn multiply_into<P: Element>(
    level: Level,
    rows: usize,
    size: usize,
    columns: usize,
    left: &[P],
    stride: usize,
    panels: &[P],
    out: &mut [f32],
    out_stride: usize,
) {
    multiply_all(level, rows, size, size, columns, left, stride, panels, |row, column, sums| {
        out[row * out_stride + column..][..sums.len()].copy_from_slice(sums);
    });
}

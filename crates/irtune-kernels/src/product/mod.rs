//! Matrix products of packed rows with weights in their own formats, several summed into one output.
//!
//! A product is `Σ terms`: the base projection and its adapters are summed in registers and written once.
//! Forward (`left · Wᵀ`) and backward (`left · W`) read the same weight bytes.

mod output;
mod passes;
mod plan;
mod rounded;

use arrayvec::ArrayVec;

use crate::{
    dropout::Mask,
    element::{Element, multiplied_as_stored, widen},
    integer::{
        Width,
        eight::{self, Bytes},
        sixteen::{self, Integers},
    },
    level::level,
    matrix::Matrix,
    microkernel::{Aligned, TILE, Tile, multiply},
    pack::{PANEL, pack, panel_length},
    parallel, scratch,
    weight::Weight,
};

use output::{Target, write_tile};
use passes::{PIECES, Piece, Room, passes};
use plan::{Part, Plan, most_panels, panels};
use rounded::{RoundedLeft, stretch, with_integers};

pub use crate::pack::Side;
pub use output::Output;

/// `left · Wᵀ` or `left · W`, its result optionally masked.
#[derive(Clone, Copy, Debug)]
pub struct Term<'a, E> {
    /// `[rows, summed]`
    pub left: Matrix<'a, E>,
    /// `[outputs, summed]` on the forward side, `[summed, outputs]` on the backward side.
    pub weight: Weight<'a>,
    /// Which dimension is summed.
    pub side: Side,
    /// Dropout mask `[rows, outputs]` laid over this term's result.
    pub mask: Option<Mask<'a>>,
    /// The integers with scales that it is multiplied in, faster than f32 or bf16 on processors that have them.
    pub integers: Option<Width>,
}

impl<'a, E: Element> Term<'a, E> {
    /// `left · Wᵀ`
    pub fn forward(left: Matrix<'a, E>, weight: Weight<'a>) -> Self {
        Self { left, weight, side: Side::Forward, mask: None, integers: None }
    }

    /// `left · W`
    pub fn backward(left: Matrix<'a, E>, weight: Weight<'a>) -> Self {
        Self { left, weight, side: Side::Backward, mask: None, integers: None }
    }

    fn summed(&self) -> usize {
        match self.side {
            Side::Forward => self.weight.columns,
            Side::Backward => self.weight.rows,
        }
    }

    fn outputs(&self) -> usize {
        match self.side {
            Side::Forward => self.weight.rows,
            Side::Backward => self.weight.columns,
        }
    }
}

/// Writes `scale · Σ terms` to `output`, on the current thread pool.
///
/// # Shapes
/// Every term's left has the output's rows, every weight the output's columns.
///
/// # Panics
/// When shapes disagree: that is a mistake of the caller, not of data.
pub fn product<E: Element>(terms: &[Term<E>], scale: f32, output: Output<E>) {
    let (rows, columns) = match &output {
        Output::Store(matrix) | Output::Add(matrix) => (matrix.rows, matrix.columns),
        Output::Operand(matrix) => (matrix.rows, matrix.columns),
    };
    for term in terms {
        term.left.check();
        assert_eq!((term.left.rows, term.left.columns), (rows, term.summed()), "left of {:?}", term.side);
        assert_eq!(term.outputs(), columns, "outputs of a term");
        assert_eq!(term.weight.bytes.len(), term.weight.rows * term.weight.row_bytes(), "bytes of a weight");
        if let Some(mask) = &term.mask {
            mask.check(rows, columns);
        }
    }
    if rows == 0 || columns == 0 {
        return;
    }
    let target = Target::new(output);
    let as_stored = multiplied_as_stored::<E>();
    let most_panels = if as_stored { most_panels::<E>() } else { most_panels::<f32>() };
    let plan = Plan::new(most_panels, rows, columns);
    with_integers(terms, |integers| {
        parallel::for_each(plan.row_chunks * plan.groups, |task| {
            let (chunk, group) = (task % plan.row_chunks, task / plan.row_chunks);
            let first_row = chunk * plan.chunk_rows;
            let part = Part {
                rows: first_row..rows.min(first_row + plan.chunk_rows),
                column: group * plan.group_panels * PANEL,
                panels: plan.group_panels.min(panels(columns) - group * plan.group_panels),
            };
            if as_stored {
                compute::<E, E>(terms, integers, scale, &target, part);
            } else {
                compute::<E, f32>(terms, integers, scale, &target, part);
            }
        });
    });
}

/// One task: the outputs of `panels` panels from column `first` on, for some rows, multiplied as `P` or in integers.
fn compute<E: Element, P: Element>(
    terms: &[Term<E>],
    rounded: &[RoundedLeft],
    scale: f32,
    target: &Target<E>,
    part: Part,
) {
    let Part { rows, column: first, panels } = part;
    let level = level();
    let (mut room, mut count) = (Room::default(), 0);
    passes::<E, P>(terms, panels, |pieces, _, _| {
        room = room.union(Room::of::<E, P>(pieces));
        count += 1;
    });
    // With several passes the sums wait between them in `waiting`, a tile after the other.
    let tiles = rows.len().div_ceil(TILE);
    let waiting_tiles = if count > 1 { tiles * panels } else { 0 };
    let lines = room.lines * PANEL;
    let bytes = scratch::bytes::<P>(room.values * panels)
        + scratch::bytes::<u8>(room.integers * panels)
        + scratch::bytes::<f32>(lines * panels)
        + scratch::bytes::<i32>(lines * panels)
        + scratch::bytes::<f32>(room.longest * PANEL)
        + scratch::bytes::<f32>(waiting_tiles * TILE * PANEL)
        + scratch::bytes::<P>(room.widened);
    scratch::with(bytes, |mut arena| {
        let values = arena.take::<P>(room.values * panels);
        let integers = arena.take::<u8>(room.integers * panels);
        let scales = arena.take::<f32>(lines * panels);
        let starts = arena.take::<i32>(lines * panels);
        let unpacked = arena.take::<f32>(room.longest * PANEL);
        let waiting = arena.take::<f32>(waiting_tiles * TILE * PANEL);
        let widened = arena.take::<P>(room.widened);
        let mut lefts = ArrayVec::new();
        passes::<E, P>(terms, panels, |pieces, is_first, is_last| {
            for panel in 0..panels {
                let column = first + panel * PANEL;
                for piece in pieces {
                    let Term { weight, side, .. } = &terms[piece.term];
                    if let Some(width) = piece.integers {
                        let unpacked = &mut unpacked[..piece.depth * PANEL];
                        let out = &mut integers[panel * room.integers + piece.place..][..piece.panel_bytes()];
                        let line = panel * lines + piece.line * PANEL;
                        let scales = &mut scales[line..][..piece.stretches() * PANEL];
                        match width {
                            Width::Sixteen => {
                                pack(weight, *side, column, piece.start, piece.depth, unpacked);
                                sixteen::round_panel(unpacked, bytemuck::cast_slice_mut(out), scales);
                            }
                            Width::Eight => {
                                let starts = &mut starts[line..][..piece.stretches() * PANEL];
                                let out = bytemuck::cast_slice_mut(out);
                                eight::pack_panel(
                                    weight,
                                    *side,
                                    column,
                                    piece.start,
                                    unpacked,
                                    out,
                                    scales,
                                    starts,
                                );
                            }
                        }
                    } else {
                        let out = &mut values[panel * room.values + piece.place..];
                        let out = &mut out[..panel_length::<P>(piece.depth)];
                        pack(weight, *side, column, piece.start, piece.depth, out);
                    }
                }
            }
            for block in 0..tiles {
                let row = rows.start + block * TILE;
                let count = TILE.min(rows.end - row);
                gather_lefts(terms, rounded, pieces, row, count, widened, &mut lefts);
                if is_last {
                    target.prefetch(row, count, first, panels);
                }
                for panel in 0..panels {
                    let column = first + panel * PANEL;
                    let mut aligned = Aligned::ZERO;
                    let tile = &mut aligned.0;
                    let place = (block * panels + panel) * TILE * PANEL;
                    if !is_first {
                        tile.as_flattened_mut().copy_from_slice(&waiting[place..][..TILE * PANEL]);
                    }
                    for (piece, left) in pieces.iter().zip(&lefts) {
                        let packed = || {
                            let packed = &values[panel * room.values + piece.place..];
                            &packed[..panel_length::<P>(piece.depth)]
                        };
                        let add = |tile: &mut Tile| match left {
                            Left::Values(left, stride) => {
                                multiply(level, count, piece.depth, left, *stride, packed(), tile);
                            }
                            Left::Widened(start) => {
                                let left = &widened[*start..];
                                multiply(level, count, piece.depth, left, piece.depth, packed(), tile);
                            }
                            Left::Sixteen(left, left_scales) => {
                                let panel_bytes = &integers[panel * room.integers + piece.place..];
                                let piece = Integers {
                                    left,
                                    left_scales,
                                    panel: bytemuck::cast_slice(&panel_bytes[..piece.panel_bytes()]),
                                    panel_scales: &scales[panel * lines + piece.line * PANEL..],
                                    depth: piece.padded(),
                                };
                                sixteen::multiply(level, count, &piece, tile);
                            }
                            Left::Eight(left, stride, left_scales, scales_stride) => {
                                let panel_bytes = &integers[panel * room.integers + piece.place..];
                                let line = panel * lines + piece.line * PANEL;
                                let piece = Bytes {
                                    left,
                                    stride: *stride,
                                    left_scales,
                                    scales_stride: *scales_stride,
                                    panel: bytemuck::cast_slice(&panel_bytes[..piece.panel_bytes()]),
                                    panel_scales: &scales[line..],
                                    starts: &starts[line..],
                                    depth: piece.padded(),
                                };
                                eight::multiply(count, &piece, tile);
                            }
                        };
                        match &terms[piece.term].mask {
                            None => add(tile),
                            Some(mask) => {
                                let mut aligned = Aligned::ZERO;
                                let masked = &mut aligned.0;
                                add(masked);
                                mask.add(masked, tile, count, row, column);
                            }
                        }
                    }
                    if is_last {
                        write_tile(target, tile, count, scale, row, column);
                    } else {
                        waiting[place..][..TILE * PANEL].copy_from_slice(tile.as_flattened());
                    }
                }
            }
        });
    });
}

/// A piece's left side for a block of rows.
enum Left<'a, P> {
    /// In place, and the distance between rows.
    Values(&'a [P], usize),
    /// Widened, from there on in the space for it.
    Widened(usize),
    /// Rounded to 16 bits, and the rows' scales.
    Sixteen(&'a [i16], &'a [f32]),
    /// Rounded to 8 bits and the distance between rows, the rows' scales and the distance between those.
    Eight(&'a [u8], usize, &'a [f32], usize),
}

/// Finds the left sides of the pieces for `count` rows from `row` on: in place, rounded before, or widened in `space`.
fn gather_lefts<'a, E: Element, P: Element>(
    terms: &'a [Term<E>],
    rounded: &[RoundedLeft<'a>],
    pieces: &[Piece],
    row: usize,
    count: usize,
    space: &mut [P],
    lefts: &mut ArrayVec<Left<'a, P>, PIECES>,
) {
    lefts.clear();
    let mut filled = 0;
    for piece in pieces {
        let left = terms[piece.term].left;
        let RoundedLeft { values, scales } = rounded[piece.term];
        match piece.integers {
            None => {}
            Some(Width::Sixteen) => {
                let number = piece.start / stretch(left.columns);
                let first = piece.start * left.rows + row * piece.padded();
                let values = &bytemuck::cast_slice(values)[first..][..count * piece.padded()];
                lefts.push(Left::Sixteen(values, &scales[number * left.rows + row..][..count]));
                continue;
            }
            Some(Width::Eight) => {
                let (stride, stretches) =
                    (left.columns.next_multiple_of(eight::GROUP), left.columns.div_ceil(eight::STRETCH));
                let values = &values[row * stride + piece.start..];
                let scales = &scales[row * stretches + piece.start / eight::STRETCH..];
                lefts.push(Left::Eight(values, stride, scales, stretches));
                continue;
            }
        }
        let here = &left.data[row * left.stride + piece.start..];
        match bytemuck::try_cast_slice::<E, P>(here) {
            Ok(same) if E::GROUP == P::GROUP => lefts.push(Left::Values(same, left.stride)),
            _ => {
                let out = &mut space[filled..][..count * piece.depth];
                for (index, out) in out.chunks_exact_mut(piece.depth).enumerate() {
                    widen(&here[index * left.stride..][..piece.depth], out);
                }
                lefts.push(Left::Widened(filled));
                filled += count * piece.depth;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;
    use crate::matrix::MatrixMut;

    fn values(count: usize, seed: u64) -> Vec<f32> {
        let uniform =
            |index: usize| crate::dropout::key(&[seed, index as u64]) as i32 as f32 / i32::MAX as f32;
        (0..count).map(uniform).collect()
    }

    fn rounded<E: Element>(values: &[f32]) -> Vec<E> {
        values.iter().map(|&value| E::from_f32(value)).collect()
    }

    /// Both sides against a triple loop in f64, over sizes that straddle tile and panel borders.
    fn check<E: Element>(rows: usize, columns: usize, summed: usize, integers: Option<Width>) {
        let left: Vec<E> = rounded(&values(rows * summed, 3));
        for side in [Side::Forward, Side::Backward] {
            let weight: Vec<E> = rounded(&values(columns * summed, 17));
            let (weight_rows, weight_columns) =
                if side == Side::Forward { (columns, summed) } else { (summed, columns) };
            let term = Term {
                left: Matrix::new(&left, rows, summed),
                weight: Weight::of(&weight, weight_rows, weight_columns),
                side,
                mask: None,
                integers,
            };
            let mut out = vec![1.0f32; rows * columns];
            product(&[term, term], 0.5, Output::<E>::Add(MatrixMut::new(&mut out, rows, columns)));
            for row in 0..rows {
                for column in 0..columns {
                    let parts = (0..summed).map(|inner| {
                        let place = if side == Side::Forward {
                            column * summed + inner
                        } else {
                            inner * columns + column
                        };
                        f64::from(left[row * summed + inner].to_f32()) * f64::from(weight[place].to_f32())
                    });
                    let (exact, size) =
                        parts.fold((0.0, 1.0), |(sum, size), part| (sum + part, size + part.abs()));
                    let error = (f64::from(out[row * columns + column]) - 1.0 - exact).abs();
                    // Rounding errors of a sequential f32 sum grow like the square root of its length.
                    let mut tolerance = 1.2e-7 * size * (summed as f64).sqrt().max(2.0);
                    // Both sides are below 1 and rounded by at most 1/4094 and 1/2046, or 1/254, either way alike.
                    tolerance += (summed as f64).sqrt()
                        * match integers {
                            None => 0.0,
                            Some(Width::Sixteen) => 2.0 * 7e-4,
                            Some(Width::Eight) => 2.0 * 6e-3,
                        };
                    assert!(
                        error < tolerance,
                        "{side:?} {rows}×{columns}×{summed}: {error} against {tolerance}"
                    );
                }
            }
        }
    }

    #[test]
    fn products_agree_with_a_triple_loop() {
        for (rows, columns, summed) in [
            (1, 1, 1),
            (11, 31, 15),
            (12, 32, 16),
            (13, 33, 17),
            (25, 64, 127),
            (130, 200, 129),
            (40, 64, 20_000),
        ] {
            for integers in [None, Some(Width::Sixteen), Some(Width::Eight)] {
                check::<f32>(rows, columns, summed, integers);
                check::<bf16>(rows, columns, summed, integers);
            }
        }
    }
}

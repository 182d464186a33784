//! Matrix products of packed rows with weights in their own formats, several summed into one output.
//!
//! A product is `Σ terms`: the base projection and its adapters are summed in registers and written once.
//! Forward (`left · Wᵀ`) and backward (`left · W`) read the same weight bytes.

mod lefts;
mod merged;
mod output;
mod packed;
mod passes;
mod plan;
mod rounded;

use crate::{
    dropout::Mask,
    element::{Element, multiplied_as_stored},
    integer::Width,
    level::level,
    matrix::Matrix,
    microkernel::{Aligned, Begin, TILE, Tile},
    pack::PANEL,
    parallel, scratch,
    weight::Weight,
};

use lefts::{ahead, gather_left};
use output::{Target, write_tile};
use packed::Packed;
use passes::{Room, passes};
use plan::{Part, Plan, panels};
use rounded::{RoundedLeft, with_integers};

pub use crate::pack::Side;
pub use merged::{LowRank, Merged};
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
    /// What is multiplied with in place of the weight, which then only gives the shape: forward, in the same integers, or
    /// in bf16 where `E` is bf16 and the processor multiplies it.
    pub merged: Option<&'a Merged>,
}

impl<'a, E: Element> Term<'a, E> {
    /// `left · Wᵀ`
    pub fn forward(left: Matrix<'a, E>, weight: Weight<'a>) -> Self {
        Self { left, weight, side: Side::Forward, mask: None, integers: None, merged: None }
    }

    /// `left · W`
    pub fn backward(left: Matrix<'a, E>, weight: Weight<'a>) -> Self {
        Self { left, weight, side: Side::Backward, mask: None, integers: None, merged: None }
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
        if let Some(merged) = term.merged {
            assert_eq!(
                (merged.shape(), term.side),
                ((columns, term.summed()), Side::Forward),
                "a merged weight"
            );
            assert_eq!(term.integers, merged.integers(), "integers of a merged weight");
            assert!(
                term.integers.is_some() || Merged::is_bf16_for::<E>(),
                "a merged weight in bf16 where bf16 isn't multiplied"
            );
        }
    }
    if rows == 0 || columns == 0 {
        return;
    }
    let target = Target::new(output);
    let as_stored = multiplied_as_stored::<E>();
    let plan = Plan::new(rows, columns);
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
    let (mut room, mut passes_needed) = (Room::default(), 0);
    passes::<E, P>(terms, panels, |pieces, _, _| {
        room = room.union(Room::of::<E, P>(terms, pieces));
        passes_needed += 1;
    });
    // Between several passes the sums of all rows are kept, else only those of a block of rows, for all panels.
    let blocks = rows.len().div_ceil(TILE);
    let kept = if passes_needed > 1 { blocks } else { 1 };
    let bytes = Packed::<P>::bytes(room, panels)
        + scratch::bytes::<Tile>(kept * panels)
        + scratch::bytes::<P>(room.copied);
    scratch::with(bytes, |mut arena| {
        let mut packed = Packed::<P>::take(&mut arena, room, panels);
        let sums = arena.take::<Tile>(kept * panels);
        let copied = arena.take::<P>(room.copied);
        let mut masked = Aligned::ZERO;
        passes::<E, P>(terms, panels, |pieces, is_first, is_last| {
            for panel in 0..panels {
                for piece in pieces {
                    packed.pack(&terms[piece.term], piece, panel, first + panel * PANEL);
                }
            }
            for block in 0..blocks {
                let row = rows.start + block * TILE;
                let count = TILE.min(rows.end - row);
                let next = if block + 1 < blocks { row + TILE } else { rows.start };
                let tiles = &mut sums[block % kept * panels..][..panels];
                if is_first && pieces.is_empty() {
                    tiles.fill(Aligned::ZERO.0);
                }
                for (number, piece) in pieces.iter().enumerate() {
                    let term = &terms[piece.term];
                    let left = gather_left(term, &rounded[piece.term], piece, row, count, copied);
                    let begin = if is_first && number == 0 { Begin::Zero } else { Begin::Held };
                    for (panel, tile) in tiles.iter_mut().enumerate() {
                        let column = first + panel * PANEL;
                        if is_last && number == 0 {
                            target.prefetch(row, count, column);
                        }
                        let ahead = ahead(term, piece, next, panel, panels);
                        let multiply = |begin, tile: &mut Tile| {
                            packed.multiply(
                                level, count, term, piece, &left, panel, column, begin, ahead, tile,
                            );
                        };
                        match &term.mask {
                            None => multiply(begin, tile),
                            Some(mask) => {
                                begin.fill(&mut tile[..count]);
                                multiply(Begin::Zero, &mut masked.0);
                                mask.add(&masked.0, tile, count, row, column);
                            }
                        }
                    }
                }
                if is_last {
                    for (panel, tile) in tiles.iter().enumerate() {
                        write_tile(target, tile, count, scale, row, first + panel * PANEL);
                    }
                }
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;
    use crate::matrix::MatrixMut;

    pub(super) fn values(count: usize, seed: u64) -> Vec<f32> {
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
                merged: None,
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
            (25, 64, 2048),
            (40, 64, 20_000),
        ] {
            for integers in [None, Some(Width::Sixteen), Some(Width::Eight)] {
                check::<f32>(rows, columns, summed, integers);
                check::<bf16>(rows, columns, summed, integers);
            }
        }
    }
}

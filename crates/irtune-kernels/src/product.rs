//! Matrix products of packed rows with weights in their own formats, several summed into one output.
//!
//! A product is `Σ terms`: the base projection and its adapters are summed in registers and written once.
//! Forward (`left · Wᵀ`) and backward (`left · W`) read the same weight bytes.

use arrayvec::ArrayVec;

use crate::{
    dropout::Mask,
    element::{Element, multiplied_as_stored, widen},
    level::level,
    matrix::{Matrix, MatrixMut},
    microkernel::{TILE, Tile, multiply},
    pack::{PANEL, pack, panel_length},
    parallel::{self, Shared},
    scratch,
    weight::{BLOCK, Weight},
};

pub use crate::pack::Side;

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
}

impl<'a, E: Element> Term<'a, E> {
    /// `left · Wᵀ`
    pub fn forward(left: Matrix<'a, E>, weight: Weight<'a>) -> Self {
        Self { left, weight, side: Side::Forward, mask: None }
    }

    /// `left · W`
    pub fn backward(left: Matrix<'a, E>, weight: Weight<'a>) -> Self {
        Self { left, weight, side: Side::Backward, mask: None }
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

/// Where a product goes.
#[derive(Debug)]
pub enum Output<'a, E> {
    /// Overwrites f32 values.
    Store(MatrixMut<'a, f32>),
    /// Adds to f32 values.
    Add(MatrixMut<'a, f32>),
    /// Overwrites operands with the rounded result.
    Operand(MatrixMut<'a, E>),
}

/// Bytes of packed panels that one pass keeps in the second-level cache: processors that multiply bf16 have 1 MiB of it
/// or more, others 512 KiB.
const fn pass_bytes<P: Element>() -> usize {
    if P::GROUP == 2 { 448 * 1024 } else { 320 * 1024 }
}

/// Most panels of a pass. More of them read the left side less often, but leave less depth for a pass.
const fn most_panels<P: Element>() -> usize {
    if P::GROUP == 2 { 4 } else { 6 }
}

/// Most pieces of a pass.
const PIECES: usize = 16;

/// A stretch of one term's summed values that is packed at once.
#[derive(Clone, Copy)]
struct Piece {
    term: usize,
    start: usize,
    depth: usize,
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
    parallel::for_each(plan.row_chunks * plan.groups, |task| {
        let (chunk, group) = (task % plan.row_chunks, task / plan.row_chunks);
        let first_row = chunk * plan.chunk_rows;
        let row_range = first_row..rows.min(first_row + plan.chunk_rows);
        let first = group * plan.group_panels * PANEL;
        let panels = plan.group_panels.min((columns - first).div_ceil(PANEL));
        if as_stored {
            compute::<E, E>(terms, scale, &target, row_range, first, panels);
        } else {
            compute::<E, f32>(terms, scale, &target, row_range, first, panels);
        }
    });
}

/// How a product is cut into tasks: groups of panels, and for few panels also chunks of rows.
struct Plan {
    group_panels: usize,
    groups: usize,
    chunk_rows: usize,
    row_chunks: usize,
}

impl Plan {
    fn new(most_panels: usize, rows: usize, columns: usize) -> Self {
        let panels = columns.div_ceil(PANEL);
        let threads = parallel::threads();
        let mut group_panels = most_panels.min(panels);
        while group_panels > 1
            && (panels.div_ceil(group_panels) < 3 * threads || !panels.is_multiple_of(group_panels))
        {
            group_panels -= 1;
        }
        let groups = panels.div_ceil(group_panels);
        // Each row chunk packs the panels again, so rows are cut only when panels are too few to share.
        let wanted = if groups.is_multiple_of(threads) { 1 } else { (3 * threads).div_ceil(groups) };
        let row_chunks = wanted.min(rows.div_ceil(8 * TILE)).max(1);
        let chunk_rows = rows.div_ceil(row_chunks).next_multiple_of(TILE);
        Self { group_panels, groups, chunk_rows, row_chunks: rows.div_ceil(chunk_rows) }
    }
}

/// The output, written tile by tile from several threads.
enum Target<'a, E> {
    Store(Shared<'a, f32>, usize, usize),
    Add(Shared<'a, f32>, usize, usize),
    Operand(Shared<'a, E>, usize, usize),
}

impl<'a, E: Element> Target<'a, E> {
    fn new(output: Output<'a, E>) -> Self {
        match output {
            Output::Store(matrix) => {
                matrix.check();
                Target::Store(Shared::new(matrix.data), matrix.stride, matrix.columns)
            }
            Output::Add(matrix) => {
                matrix.check();
                Target::Add(Shared::new(matrix.data), matrix.stride, matrix.columns)
            }
            Output::Operand(matrix) => {
                matrix.check();
                Target::Operand(Shared::new(matrix.data), matrix.stride, matrix.columns)
            }
        }
    }

    #[inline(always)]
    fn write(&self, tile: &Tile, rows: usize, scale: f32, row: usize, column: usize) {
        match self {
            Target::Store(shared, stride, columns) => {
                write_rows(shared, *stride, *columns, &tile[..rows], row, column, |out, sum| {
                    *out = sum * scale
                });
            }
            Target::Add(shared, stride, columns) => {
                write_rows(shared, *stride, *columns, &tile[..rows], row, column, |out, sum| {
                    *out += sum * scale
                });
            }
            Target::Operand(shared, stride, columns) => {
                let write = |out: &mut E, sum: f32| *out = E::from_f32(sum * scale);
                write_rows(shared, *stride, *columns, &tile[..rows], row, column, write);
            }
        }
    }
}

#[inline(always)]
fn write_rows<T>(
    shared: &Shared<T>,
    stride: usize,
    columns: usize,
    tile: &[[f32; PANEL]],
    row: usize,
    column: usize,
    write: impl Fn(&mut T, f32),
) {
    let width = PANEL.min(columns - column);
    for (index, sums) in tile.iter().enumerate() {
        // SAFETY: tasks own disjoint ranges of rows and columns.
        let out = unsafe { shared.part((row + index) * stride + column, width) };
        if let Ok(out) = <&mut [T; PANEL]>::try_from(&mut *out) {
            out.iter_mut().zip(sums).for_each(|(out, &sum)| write(out, sum));
        } else {
            out.iter_mut().zip(sums).for_each(|(out, &sum)| write(out, sum));
        }
    }
}

crate::level::vectorised! {
    fn write_tile<E: Element>(target: &Target<E>, tile: &Tile, rows: usize, scale: f32, row: usize, column: usize) {
        target.write(tile, rows, scale, row, column);
    }
}

/// Calls `visit` for the pieces of each pass over the summed values, passes being as even as blocks allow.
fn passes<E: Element, P: Element>(
    terms: &[Term<E>],
    panels: usize,
    mut visit: impl FnMut(&[Piece], bool, bool),
) {
    let total: usize = terms.iter().map(Term::summed).sum();
    let most = pass_bytes::<P>() / (panels * PANEL * size_of::<P>());
    let limit = total.div_ceil(total.div_ceil(most).max(1)).next_multiple_of(BLOCK);
    let mut pieces = [Piece { term: 0, start: 0, depth: 0 }; PIECES];
    let (mut count, mut filled, mut first) = (0, 0, true);
    for (index, term) in terms.iter().enumerate() {
        let mut start = 0;
        while start < term.summed() {
            if filled >= limit || count == pieces.len() {
                visit(&pieces[..count], first, false);
                (count, filled, first) = (0, 0, false);
            }
            let depth = (term.summed() - start).min((limit - filled).next_multiple_of(BLOCK));
            pieces[count] = Piece { term: index, start, depth };
            (count, filled, start) = (count + 1, filled + depth, start + depth);
        }
    }
    visit(&pieces[..count], first, true);
}

/// One task: the outputs of `panels` panels from column `first` on, for some rows, multiplied as `P`.
fn compute<E: Element, P: Element>(
    terms: &[Term<E>],
    scale: f32,
    target: &Target<E>,
    rows: std::ops::Range<usize>,
    first: usize,
    panels: usize,
) {
    let level = level();
    let (mut most, mut deepest, mut count) = (0, 0, 0);
    passes::<E, P>(terms, panels, |pieces, _, _| {
        most = most.max(pieces.iter().map(|piece| panel_length::<P>(piece.depth)).sum());
        deepest = deepest.max(pieces.iter().map(|piece| piece.depth).sum());
        count += 1;
    });
    // With several passes the sums wait between them in `waiting`, a tile after the other.
    let tiles = rows.len().div_ceil(TILE);
    let waiting_tiles = if count > 1 { tiles * panels } else { 0 };
    let widened = if E::GROUP == P::GROUP { 0 } else { TILE * deepest };
    let bytes = scratch::bytes::<P>(most * panels)
        + scratch::bytes::<f32>(waiting_tiles * TILE * PANEL)
        + scratch::bytes::<P>(widened);
    scratch::with(bytes, |mut arena| {
        let packed = arena.take::<P>(most * panels);
        let waiting = arena.take::<f32>(waiting_tiles * TILE * PANEL);
        let widened = arena.take::<P>(widened);
        passes::<E, P>(terms, panels, |pieces, is_first, is_last| {
            for panel in 0..panels {
                let mut space = &mut packed[panel * most..][..most];
                for piece in pieces {
                    let term = &terms[piece.term];
                    let (here, rest) = space.split_at_mut(panel_length::<P>(piece.depth));
                    pack(&term.weight, term.side, first + panel * PANEL, piece.start, piece.depth, here);
                    space = rest;
                }
            }
            for block in 0..tiles {
                let row = rows.start + block * TILE;
                let count = TILE.min(rows.end - row);
                let lefts = lefts(terms, pieces, row, count, widened);
                for panel in 0..panels {
                    let column = first + panel * PANEL;
                    let mut tile: Tile = [[0.0; PANEL]; TILE];
                    let place = (block * panels + panel) * TILE * PANEL;
                    if !is_first {
                        tile.as_flattened_mut().copy_from_slice(&waiting[place..][..TILE * PANEL]);
                    }
                    let mut space = &packed[panel * most..][..most];
                    for (piece, (left, stride)) in pieces.iter().zip(&lefts) {
                        let (here, rest) = space.split_at(panel_length::<P>(piece.depth));
                        space = rest;
                        match &terms[piece.term].mask {
                            None => multiply(level, count, piece.depth, left, *stride, here, &mut tile),
                            Some(mask) => {
                                let mut masked: Tile = [[0.0; PANEL]; TILE];
                                multiply(level, count, piece.depth, left, *stride, here, &mut masked);
                                mask.add(&masked, &mut tile, count, row, column);
                            }
                        }
                    }
                    if is_last {
                        write_tile(target, &tile, count, scale, row, column);
                    } else {
                        waiting[place..][..TILE * PANEL].copy_from_slice(tile.as_flattened());
                    }
                }
            }
        });
    });
}

/// The left sides of the pieces for `count` rows from `row` on, each with its stride: in place, or widened in `space`.
fn lefts<'a, E: Element, P: Element>(
    terms: &'a [Term<E>],
    pieces: &[Piece],
    row: usize,
    count: usize,
    mut space: &'a mut [P],
) -> ArrayVec<(&'a [P], usize), PIECES> {
    let mut lefts = ArrayVec::new();
    for piece in pieces {
        let left = terms[piece.term].left;
        let here = &left.data[row * left.stride + piece.start..];
        match bytemuck::try_cast_slice::<E, P>(here) {
            Ok(same) if E::GROUP == P::GROUP => lefts.push((same, left.stride)),
            _ => {
                let (wide, rest) = std::mem::take(&mut space).split_at_mut(count * piece.depth);
                space = rest;
                for (index, wide) in wide.chunks_exact_mut(piece.depth).enumerate() {
                    widen(&here[index * left.stride..][..piece.depth], wide);
                }
                lefts.push((&*wide, piece.depth));
            }
        }
    }
    lefts
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    fn values(count: usize, seed: u64) -> Vec<f32> {
        let uniform =
            |index: usize| crate::dropout::key(&[seed, index as u64]) as i32 as f32 / i32::MAX as f32;
        (0..count).map(uniform).collect()
    }

    fn rounded<E: Element>(values: &[f32]) -> Vec<E> {
        values.iter().map(|&value| E::from_f32(value)).collect()
    }

    /// Both sides against a triple loop in f64, over sizes that straddle tile and panel borders.
    fn check<E: Element>(rows: usize, columns: usize, summed: usize) {
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
                    let tolerance = 1.2e-7 * size * (summed as f64).sqrt().max(2.0);
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
            check::<f32>(rows, columns, summed);
            check::<bf16>(rows, columns, summed);
        }
    }
}

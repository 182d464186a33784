//! Matrix products of packed rows with weights in their own formats, several summed into one output.
//!
//! A product is `Σ terms`: the base projection and its adapters are summed in registers and written once.
//! Forward (`left · Wᵀ`) and backward (`left · W`) read the same weight bytes.

use arrayvec::ArrayVec;

use crate::{
    dropout::Mask,
    element::{Element, multiplied_as_stored, widen},
    integer::{self, Integers, STRETCH, round_panel, round_row},
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
    /// Whether it is multiplied in 16-bit integers with scales, faster than f32 on processors with AVX2.
    pub integers: bool,
}

impl<'a, E: Element> Term<'a, E> {
    /// `left · Wᵀ`
    pub fn forward(left: Matrix<'a, E>, weight: Weight<'a>) -> Self {
        Self { left, weight, side: Side::Forward, mask: None, integers: false }
    }

    /// `left · W`
    pub fn backward(left: Matrix<'a, E>, weight: Weight<'a>) -> Self {
        Self { left, weight, side: Side::Backward, mask: None, integers: false }
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
    if P::GROUP == 2 { 640 * 1024 } else { 320 * 1024 }
}

/// Most panels of a pass. More of them read the left side less often, but leave less depth for a pass.
const fn most_panels<P: Element>() -> usize {
    if P::GROUP == 2 { 4 } else { 6 }
}

/// Most pieces of a pass.
const PIECES: usize = 16;

/// Most terms of a product.
const MOST_TERMS: usize = 16;

/// A stretch of one term's summed values that is packed at once.
#[derive(Clone, Copy, Default)]
struct Piece {
    term: usize,
    start: usize,
    depth: usize,
    /// Whether it is multiplied in integers.
    integers: bool,
    /// Where it begins in a panel's packed values, or integers.
    place: usize,
    /// Number among the pass's pieces in integers.
    number: usize,
}

impl Piece {
    /// Summed values in integers, padded to whole pairs.
    fn even(&self) -> usize {
        self.depth.next_multiple_of(2)
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

/// Panels of so many columns.
fn panels(columns: usize) -> usize {
    columns.div_ceil(PANEL)
}

/// The outputs of one task.
struct Part {
    rows: std::ops::Range<usize>,
    /// First column.
    column: usize,
    panels: usize,
}

/// The left side of a term in integers, stretch after stretch `[rows, depth]`, and `[stretches, rows]` scales.
#[derive(Clone, Copy, Default)]
struct RoundedLeft<'a> {
    values: &'a [i16],
    scales: &'a [f32],
}

/// Summed values that share their scales: as even as blocks allow.
fn stretch(summed: usize) -> usize {
    summed.div_ceil(summed.div_ceil(STRETCH).max(1)).next_multiple_of(BLOCK)
}

/// Rounds the left sides of the terms that are multiplied in integers, once for all tasks.
fn with_integers<E: Element>(terms: &[Term<E>], work: impl FnOnce(&[RoundedLeft])) {
    let sizes = |term: &Term<E>| {
        let (rows, summed) = (term.left.rows, term.summed());
        if term.integers {
            (rows * summed.next_multiple_of(2), rows * summed.div_ceil(stretch(summed)))
        } else {
            (0, 0)
        }
    };
    let needed = |term| scratch::bytes::<i16>(sizes(term).0) + scratch::bytes::<f32>(sizes(term).1);
    let bytes = terms.iter().map(needed).sum();
    if bytes == 0 {
        return work(&ArrayVec::<_, MOST_TERMS>::from_iter(terms.iter().map(|_| RoundedLeft::default())));
    }
    scratch::with_shared(bytes, |mut arena| {
        let mut rounded = ArrayVec::<RoundedLeft, MOST_TERMS>::new();
        for term in terms {
            let (values, scales) = sizes(term);
            let (values, scales) = (arena.take::<i16>(values), arena.take::<f32>(scales));
            if term.integers {
                round_left(term, values, scales);
            }
            rounded.push(RoundedLeft { values, scales });
        }
        work(&rounded);
    });
}

fn round_left<E: Element>(term: &Term<E>, values: &mut [i16], scales: &mut [f32]) {
    let (rows, summed) = (term.left.rows, term.summed());
    let stretch = stretch(summed);
    let (values, scales) = (Shared::new(values), Shared::new(scales));
    let chunk = parallel::rows_a_task(summed);
    parallel::for_each(rows.div_ceil(chunk), |task| {
        for row in task * chunk..rows.min((task + 1) * chunk) {
            let line = &term.left.data[row * term.left.stride..][..summed];
            for (number, from) in line.chunks(stretch).enumerate() {
                let even = from.len().next_multiple_of(2);
                // SAFETY: each task writes its own rows.
                let to = unsafe { values.part(number * stretch * rows + row * even, even) };
                // SAFETY: as above.
                let scale = unsafe { scales.part(number * rows + row, 1) };
                scale[0] = round_row(from, to);
            }
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
        let panels = panels(columns);
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

/// Bytes that a summed value of a term takes in a packed panel.
fn packed_bytes<E, P>(term: &Term<E>) -> usize {
    PANEL * if term.integers { size_of::<i16>() } else { size_of::<P>() }
}

/// Calls `visit` for the pieces of each pass over the summed values, passes being as even as blocks allow.
fn passes<E: Element, P: Element>(
    terms: &[Term<E>],
    panels: usize,
    mut visit: impl FnMut(&[Piece], bool, bool),
) {
    let total: usize = terms.iter().map(|term| term.summed() * packed_bytes::<E, P>(term)).sum();
    let limit = total.div_ceil((total * panels).div_ceil(pass_bytes::<P>()).max(1));
    let mut pieces = ArrayVec::<Piece, PIECES>::new();
    let (mut filled, mut first) = (0, true);
    let (mut values, mut integers, mut number) = (0, 0, 0);
    for (index, term) in terms.iter().enumerate() {
        let bytes = packed_bytes::<E, P>(term);
        let mut start = 0;
        while start < term.summed() {
            if filled >= limit || pieces.is_full() {
                visit(&pieces, first, false);
                pieces.clear();
                (filled, first, values, integers, number) = (0, false, 0, 0, 0);
            }
            let room = (limit - filled).div_ceil(bytes).next_multiple_of(BLOCK);
            let most = if term.integers { stretch(term.summed()) } else { room };
            let depth = (term.summed() - start).min(most);
            let place = if term.integers { integers } else { values };
            let piece = Piece { term: index, start, depth, integers: term.integers, place, number };
            if term.integers {
                (integers, number) = (integers + piece.even() * PANEL, number + 1);
            } else {
                values += panel_length::<P>(depth);
            }
            pieces.push(piece);
            (filled, start) = (filled + depth * bytes, start + depth);
        }
    }
    visit(&pieces, first, true);
}

/// What the packed pieces of a pass need for one panel, and their left sides for one block of rows.
#[derive(Clone, Copy, Default)]
struct Room {
    values: usize,
    integers: usize,
    pieces: usize,
    widened: usize,
}

impl Room {
    fn of<E: Element, P: Element>(pieces: &[Piece]) -> Self {
        let mut room = Self::default();
        for piece in pieces {
            if piece.integers {
                room.integers += piece.even() * PANEL;
                room.pieces += 1;
            } else {
                room.values += panel_length::<P>(piece.depth);
                room.widened += if E::GROUP == P::GROUP { 0 } else { piece.depth * TILE };
            }
        }
        room
    }

    fn union(self, other: Self) -> Self {
        Self {
            values: self.values.max(other.values),
            integers: self.integers.max(other.integers),
            pieces: self.pieces.max(other.pieces),
            widened: self.widened.max(other.widened),
        }
    }
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
    let unpacked = if room.pieces > 0 { STRETCH * PANEL } else { 0 };
    let bytes = scratch::bytes::<P>(room.values * panels)
        + scratch::bytes::<i16>(room.integers * panels)
        + scratch::bytes::<f32>(room.pieces * panels * PANEL)
        + scratch::bytes::<f32>(unpacked)
        + scratch::bytes::<f32>(waiting_tiles * TILE * PANEL)
        + scratch::bytes::<P>(room.widened);
    scratch::with(bytes, |mut arena| {
        let values = arena.take::<P>(room.values * panels);
        let integers = arena.take::<i16>(room.integers * panels);
        let scales = arena.take::<f32>(room.pieces * panels * PANEL);
        let unpacked = arena.take::<f32>(unpacked);
        let waiting = arena.take::<f32>(waiting_tiles * TILE * PANEL);
        let widened = arena.take::<P>(room.widened);
        passes::<E, P>(terms, panels, |pieces, is_first, is_last| {
            for panel in 0..panels {
                let column = first + panel * PANEL;
                for piece in pieces {
                    let Term { weight, side, .. } = &terms[piece.term];
                    if piece.integers {
                        let unpacked = &mut unpacked[..piece.depth * PANEL];
                        pack(weight, *side, column, piece.start, piece.depth, unpacked);
                        let out =
                            &mut integers[panel * room.integers + piece.place..][..piece.even() * PANEL];
                        let place = (panel * room.pieces + piece.number) * PANEL;
                        round_panel(unpacked, out, &mut scales[place..][..PANEL]);
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
                let lefts = lefts(terms, rounded, pieces, row, count, widened);
                for panel in 0..panels {
                    let column = first + panel * PANEL;
                    let mut tile: Tile = [[0.0; PANEL]; TILE];
                    let place = (block * panels + panel) * TILE * PANEL;
                    if !is_first {
                        tile.as_flattened_mut().copy_from_slice(&waiting[place..][..TILE * PANEL]);
                    }
                    for (piece, left) in pieces.iter().zip(&lefts) {
                        let add = |tile: &mut Tile| match left {
                            Left::Values(left, stride) => {
                                let packed = &values[panel * room.values + piece.place..];
                                let packed = &packed[..panel_length::<P>(piece.depth)];
                                multiply(level, count, piece.depth, left, *stride, packed, tile);
                            }
                            Left::Integers(left, left_scales) => {
                                let place = (panel * room.pieces + piece.number) * PANEL;
                                let piece = Integers {
                                    left,
                                    left_scales,
                                    panel: &integers[panel * room.integers + piece.place..],
                                    panel_scales: &scales[place..],
                                    depth: piece.even(),
                                };
                                integer::multiply(level, count, &piece, tile);
                            }
                        };
                        match &terms[piece.term].mask {
                            None => add(&mut tile),
                            Some(mask) => {
                                let mut masked: Tile = [[0.0; PANEL]; TILE];
                                add(&mut masked);
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

/// A piece's left side for a block of rows.
enum Left<'a, P> {
    /// In place or widened, and the distance between rows.
    Values(&'a [P], usize),
    /// Rounded, and the rows' scales.
    Integers(&'a [i16], &'a [f32]),
}

/// The left sides of the pieces for `count` rows from `row` on: in place, rounded before, or widened in `space`.
fn lefts<'a, E: Element, P: Element>(
    terms: &'a [Term<E>],
    rounded: &[RoundedLeft<'a>],
    pieces: &[Piece],
    row: usize,
    count: usize,
    mut space: &'a mut [P],
) -> ArrayVec<Left<'a, P>, PIECES> {
    let mut lefts = ArrayVec::new();
    for piece in pieces {
        let left = terms[piece.term].left;
        if piece.integers {
            let RoundedLeft { values, scales } = rounded[piece.term];
            let number = piece.start / stretch(left.columns);
            let values = &values[piece.start * left.rows + row * piece.even()..][..count * piece.even()];
            lefts.push(Left::Integers(values, &scales[number * left.rows + row..][..count]));
            continue;
        }
        let here = &left.data[row * left.stride + piece.start..];
        match bytemuck::try_cast_slice::<E, P>(here) {
            Ok(same) if E::GROUP == P::GROUP => lefts.push(Left::Values(same, left.stride)),
            _ => {
                let (out, rest) = std::mem::take(&mut space).split_at_mut(count * piece.depth);
                space = rest;
                for (index, out) in out.chunks_exact_mut(piece.depth).enumerate() {
                    widen(&here[index * left.stride..][..piece.depth], out);
                }
                lefts.push(Left::Values(out, piece.depth));
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
    fn check<E: Element>(rows: usize, columns: usize, summed: usize, integers: bool) {
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
                    if integers {
                        // Both sides are below 1 and rounded by at most 1/4094 and 1/2046, either way alike.
                        tolerance += 2.0 * 7e-4 * (summed as f64).sqrt();
                    }
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
            for integers in [false, true] {
                check::<f32>(rows, columns, summed, integers);
                check::<bf16>(rows, columns, summed, integers);
            }
        }
    }
}

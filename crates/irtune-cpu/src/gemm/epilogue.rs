//! The end of a GEMM: a tile's sums are scaled and written, added or rounded to the output.

use super::tile::{NR, Tile};
use crate::{
    matrix::MatrixMut,
    simd::{element::Element, vectorised},
    threads::disjoint::DisjointSlice,
};

/// Where a GEMM's result goes.
#[derive(Debug)]
pub enum Output<'a, E> {
    /// Overwrites f32 values.
    Store(MatrixMut<'a, f32>),
    /// Adds to f32 values.
    Add(MatrixMut<'a, f32>),
    /// Overwrites operands with the rounded result.
    Operand(MatrixMut<'a, E>),
}

impl<E> Output<'_, E> {
    /// Rows and columns.
    pub(super) fn shape(&self) -> (usize, usize) {
        match self {
            Output::Store(matrix) | Output::Add(matrix) => (matrix.rows, matrix.columns),
            Output::Operand(matrix) => (matrix.rows, matrix.columns),
        }
    }
}

/// The output, written tile by tile from several threads.
pub(super) enum Target<'a, E> {
    Store(Tiles<'a, f32>),
    Add(Tiles<'a, f32>),
    Operand(Tiles<'a, E>),
}

/// A row-major matrix of which each task writes its own rows and columns.
pub(super) struct Tiles<'a, T> {
    values: DisjointSlice<'a, T>,
    stride: usize,
    columns: usize,
}

impl<'a, T> Tiles<'a, T> {
    fn new(matrix: MatrixMut<'a, T>) -> Self {
        matrix.check();
        Self { values: DisjointSlice::new(matrix.data), stride: matrix.stride, columns: matrix.columns }
    }

    /// Columns of a tile that begins at `column`.
    #[inline(always)]
    fn width(&self, column: usize) -> usize {
        NR.min(self.columns - column)
    }

    #[inline(always)]
    fn prefetch(&self, row: usize, rows: usize, column: usize) {
        let width = self.width(column);
        for row in row..row + rows {
            for offset in (0..width).step_by(64 / size_of::<T>()) {
                self.values.prefetch(self.place(row, column) + offset);
            }
        }
    }

    /// Where a row of a tile begins.
    #[inline(always)]
    fn place(&self, row: usize, column: usize) -> usize {
        row * self.stride + column
    }
}

impl Tiles<'_, f32> {
    #[inline(always)]
    fn write(&self, tile: &[[f32; NR]], row: usize, column: usize, write: impl Fn(&mut f32, f32)) {
        let width = self.width(column);
        for (index, sums) in tile.iter().enumerate() {
            // SAFETY: tasks own disjoint ranges of rows and columns, and a task holds one row of a tile at a time.
            let out = unsafe { self.values.part(self.place(row + index, column), width) };
            if let Ok(out) = <&mut [f32; NR]>::try_from(&mut *out) {
                // In a copy, so that the compiler sees that nothing overlaps.
                let mut values = *out;
                values.iter_mut().zip(sums).for_each(|(value, &sum)| write(value, sum));
                *out = values;
            } else {
                out.iter_mut().zip(sums).for_each(|(out, &sum)| write(out, sum));
            }
        }
    }
}

impl<'a, E: Element> Target<'a, E> {
    pub(super) fn new(output: Output<'a, E>) -> Self {
        match output {
            Output::Store(matrix) => Target::Store(Tiles::new(matrix)),
            Output::Add(matrix) => Target::Add(Tiles::new(matrix)),
            Output::Operand(matrix) => Target::Operand(Tiles::new(matrix)),
        }
    }

    /// Prefetches the cache lines that `rows` rows of the tile at `row`, `column` will write.
    #[inline]
    pub(super) fn prefetch(&self, row: usize, rows: usize, column: usize) {
        match self {
            Target::Store(tiles) | Target::Add(tiles) => tiles.prefetch(row, rows, column),
            Target::Operand(tiles) => tiles.prefetch(row, rows, column),
        }
    }

    #[inline(always)]
    fn write(&self, tile: &Tile, rows: usize, scale: f32, row: usize, column: usize) {
        match self {
            Target::Store(tiles) => {
                tiles.write(&tile[..rows], row, column, |out, sum| *out = sum * scale);
            }
            Target::Add(tiles) => {
                tiles.write(&tile[..rows], row, column, |out, sum| *out += sum * scale);
            }
            Target::Operand(tiles) => {
                let width = tiles.width(column);
                for (index, sums) in tile[..rows].iter().enumerate() {
                    // SAFETY: as in `Tiles::write`.
                    let out = unsafe { tiles.values.part(tiles.place(row + index, column), width) };
                    if let Ok(out) = <&mut [E; NR]>::try_from(&mut *out) {
                        E::round_scaled(sums, scale, out);
                    } else {
                        let mut whole = [E::default(); NR];
                        E::round_scaled(sums, scale, &mut whole);
                        out.copy_from_slice(&whole[..width]);
                    }
                }
            }
        }
    }
}

vectorised! {
    /// Writes `scale` times the first `rows` rows of a tile to the output at `row`, `column`.
    pub(super) fn write_tile<E: Element>(target: &Target<E>, tile: &Tile, rows: usize, scale: f32, row: usize, column: usize) {
        target.write(tile, rows, scale, row, column);
    }
}

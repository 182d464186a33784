//! Where the sums of a product go.

use crate::{element::Element, matrix::MatrixMut, microkernel::Tile, pack::PANEL, parallel::Shared};

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

/// The output, written tile by tile from several threads.
pub(super) enum Target<'a, E> {
    Store(Shared<'a, f32>, usize, usize),
    Add(Shared<'a, f32>, usize, usize),
    Operand(Shared<'a, E>, usize, usize),
}

impl<'a, E: Element> Target<'a, E> {
    pub(super) fn new(output: Output<'a, E>) -> Self {
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

    /// Asks for the cache lines that a block of rows will write of the panel from column `column` on.
    #[inline]
    pub(super) fn prefetch(&self, row: usize, rows: usize, column: usize) {
        match self {
            Target::Store(shared, stride, columns) | Target::Add(shared, stride, columns) => {
                prefetch_rows(shared, *stride, row, rows, column, *columns);
            }
            Target::Operand(shared, stride, columns) => {
                prefetch_rows(shared, *stride, row, rows, column, *columns);
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
                let width = PANEL.min(columns - column);
                for (index, sums) in tile[..rows].iter().enumerate() {
                    // SAFETY: tasks own disjoint ranges of rows and columns.
                    let out = unsafe { shared.part((row + index) * stride + column, width) };
                    if let Ok(out) = <&mut [E; PANEL]>::try_from(&mut *out) {
                        E::round_scaled(sums, scale, out);
                    } else {
                        let mut whole = [E::default(); PANEL];
                        E::round_scaled(sums, scale, &mut whole);
                        out.copy_from_slice(&whole[..width]);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn prefetch_rows<T>(
    shared: &Shared<T>,
    stride: usize,
    row: usize,
    rows: usize,
    column: usize,
    columns: usize,
) {
    let width = PANEL.min(columns - column);
    for row in row..row + rows {
        for place in (0..width).step_by(64 / size_of::<T>()) {
            shared.prefetch(row * stride + column + place);
        }
    }
}

#[inline(always)]
fn write_rows(
    shared: &Shared<f32>,
    stride: usize,
    columns: usize,
    tile: &[[f32; PANEL]],
    row: usize,
    column: usize,
    write: impl Fn(&mut f32, f32),
) {
    let width = PANEL.min(columns - column);
    for (index, sums) in tile.iter().enumerate() {
        // SAFETY: tasks own disjoint ranges of rows and columns.
        let out = unsafe { shared.part((row + index) * stride + column, width) };
        if let Ok(out) = <&mut [f32; PANEL]>::try_from(&mut *out) {
            // In a copy, so that the compiler sees that nothing overlaps.
            let mut values = *out;
            values.iter_mut().zip(sums).for_each(|(value, &sum)| write(value, sum));
            *out = values;
        } else {
            out.iter_mut().zip(sums).for_each(|(out, &sum)| write(out, sum));
        }
    }
}

crate::level::vectorised! {
    pub(super) fn write_tile<E: Element>(target: &Target<E>, tile: &Tile, rows: usize, scale: f32, row: usize, column: usize) {
        target.write(tile, rows, scale, row, column);
    }
}

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
    pub(super) fn write_tile<E: Element>(target: &Target<E>, tile: &Tile, rows: usize, scale: f32, row: usize, column: usize) {
        target.write(tile, rows, scale, row, column);
    }
}

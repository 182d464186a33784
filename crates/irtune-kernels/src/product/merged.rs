//! A matrix and what its adapter adds, as one, packed in 8-bit integers for many products.

use bytemuck::{cast_slice, cast_slice_mut};

use crate::{
    integer::eight::{self, GROUP, STRETCH},
    level::vectorised,
    pack::{PANEL, Side, pack},
    parallel::{self, Shared},
    scratch::{self, Line},
    weight::Weight,
};

/// `scale · Bᵀ A`, a matrix of low rank.
#[derive(Clone, Copy, Debug)]
pub struct LowRank<'a> {
    /// `[rank, summed]`
    pub a: &'a [f32],
    /// `[rank, outputs]`
    pub b: &'a [f32],
    /// Its factor.
    pub scale: f32,
}

/// `W + scale · Bᵀ A` for the forward side, rounded once to 8-bit integers that have a scale for each output and 64
/// summed values: 1.13 bytes a value.
pub struct Merged {
    outputs: usize,
    summed: usize,
    /// By panel `[summed / 4][32][4]`.
    integers: Vec<Line>,
    /// By panel `[stretches][32]`.
    scales: Vec<Line>,
    /// Where sums start, as the scales.
    starts: Vec<Line>,
}

impl Merged {
    /// Bytes that it takes for a matrix of such a shape.
    pub fn bytes(outputs: usize, summed: usize) -> usize {
        let (integers, line) = sizes(summed);
        outputs.div_ceil(PANEL) * (integers + 2 * 4 * line)
    }

    /// Merges and rounds, on the current thread pool.
    ///
    /// # Shapes
    /// `weight`: `[outputs, summed]`.
    pub fn new(weight: &Weight, low_rank: Option<LowRank>) -> Self {
        let (outputs, summed) = (weight.rows, weight.columns);
        let panels = outputs.div_ceil(PANEL);
        let (integers_length, line) = sizes(summed);
        let lines =
            |bytes: usize| bytemuck::allocation::zeroed_vec::<Line>(bytes.div_ceil(size_of::<Line>()));
        let mut integers = lines(panels * integers_length);
        let (mut scales, mut starts) = (lines(panels * line * 4), lines(panels * line * 4));
        let shared_integers = Shared::new(cast_slice_mut::<_, i8>(&mut integers));
        let shared_scales = Shared::new(cast_slice_mut::<_, f32>(&mut scales));
        let shared_starts = Shared::new(cast_slice_mut::<_, i32>(&mut starts));
        parallel::for_each(panels, |panel| {
            scratch::with(scratch::bytes::<f32>(summed * PANEL), |mut arena| {
                let values = arena.take::<f32>(summed * PANEL);
                pack(weight, Side::Forward, panel * PANEL, 0, summed, values);
                if let Some(low_rank) = &low_rank {
                    add(low_rank, outputs, panel * PANEL, summed, values);
                }
                // SAFETY: each task writes its own panel.
                let (integers, scales, starts) = unsafe {
                    (
                        shared_integers.part(panel * integers_length, integers_length),
                        shared_scales.part(panel * line, line),
                        shared_starts.part(panel * line, line),
                    )
                };
                eight::round_panel(values, integers, scales, starts);
            });
        });
        Self { outputs, summed, integers, scales, starts }
    }

    /// Integers, scales and starts of the panel of the outputs from `column` on, over summed values from `start` on.
    #[inline]
    pub(super) fn piece(&self, column: usize, start: usize) -> (&[i8], &[f32], &[i32]) {
        let (integers, line) = sizes(self.summed);
        let (panel, skipped) = (column / PANEL, start / STRETCH * PANEL);
        (
            &cast_slice(&self.integers)[panel * integers..][..integers][start * PANEL..],
            &cast_slice(&self.scales)[panel * line..][..line][skipped..],
            &cast_slice(&self.starts)[panel * line..][..line][skipped..],
        )
    }

    /// Its outputs and summed values.
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.outputs, self.summed)
    }
}

impl std::fmt::Debug for Merged {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(formatter, "Merged({} × {})", self.outputs, self.summed)
    }
}

/// Bytes of integers, and scales, of one panel.
fn sizes(summed: usize) -> (usize, usize) {
    (summed.next_multiple_of(GROUP) * PANEL, summed.div_ceil(STRETCH) * PANEL)
}

vectorised! {
    /// Adds the low-rank matrix to a panel `[summed][32]` of the outputs from `first` on.
    fn add(low_rank: &LowRank, outputs: usize, first: usize, summed: usize, panel: &mut [f32]) {
        let width = PANEL.min(outputs - first);
        for (inner, line) in panel.chunks_exact_mut(PANEL).enumerate() {
            let mut sums = [0.0f32; PANEL];
            let rows = low_rank.a.chunks_exact(summed).zip(low_rank.b.chunks_exact(outputs));
            for (a, b) in rows {
                let factor = low_rank.scale * a[inner];
                if let Ok(b) = <&[f32; PANEL]>::try_from(&b[first..first + width]) {
                    sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += factor * b);
                } else {
                    sums.iter_mut().zip(&b[first..first + width]).for_each(|(sum, b)| *sum += factor * b);
                }
            }
            line.iter_mut().zip(sums).for_each(|(value, sum)| *value += sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Matrix, MatrixMut, Width,
        product::{Output, Term, product, tests::values},
    };

    /// As a product with the sum of both matrices, which is rounded on the way.
    #[test]
    fn it_multiplies_as_the_sum_of_both_matrices() {
        for (rows, outputs, summed, rank) in
            [(1, 1, 4, 1), (13, 33, 64, 3), (30, 96, 200, 8), (25, 200, 20_000, 2)]
        {
            let (left, weight) = (values(rows * summed, 3), values(outputs * summed, 5));
            let (a, b) = (values(rank * summed, 7), values(rank * outputs, 11));
            let mut sum = weight.clone();
            for output in 0..outputs {
                for inner in 0..summed {
                    let added = (0..rank).map(|k| 0.5 * a[k * summed + inner] * b[k * outputs + output]);
                    sum[output * summed + inner] += added.sum::<f32>();
                }
            }
            let mut outs = [vec![0.0; rows * outputs], vec![0.0; rows * outputs]];
            let frozen = Weight::of(&weight, outputs, summed);
            let merged = Merged::new(&frozen, Some(LowRank { a: &a, b: &b, scale: 0.5 }));
            let ways = [(Weight::of(&sum, outputs, summed), None), (frozen, Some(&merged))];
            for (out, (weight, merged)) in outs.iter_mut().zip(ways) {
                let left = Matrix::new(&left, rows, summed);
                let term = Term { integers: Some(Width::Eight), merged, ..Term::forward(left, weight) };
                product(&[term], 1.0, Output::<f32>::Store(MatrixMut::new(out, rows, outputs)));
            }
            let largest = outs[0].iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            for (exact, merged) in outs[0].iter().zip(&outs[1]) {
                // A sum that ends between two whole numbers may be rounded either way.
                assert!(
                    (exact - merged).abs() <= 1e-3 * largest,
                    "{rows}×{outputs}×{summed}: {exact} {merged}"
                );
            }
            assert_eq!(Merged::bytes(outputs, summed), {
                let lines = outputs.div_ceil(PANEL) * summed.div_ceil(STRETCH) * PANEL;
                outputs.div_ceil(PANEL) * PANEL * summed.next_multiple_of(4) + 8 * lines
            });
        }
    }
}

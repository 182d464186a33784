//! A matrix and what its adapter adds, as one, packed for many products.

use bytemuck::{cast_slice, cast_slice_mut};
use half::bf16;

use crate::{
    element::{Element, multiplied_as_stored},
    integer::{
        Width,
        eight::{self, GROUP, STRETCH},
    },
    level::vectorised,
    pack::{PANEL, Side, pack, panel_length},
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

/// `W + scale · Bᵀ A` for the forward side, rounded once.
pub struct Merged {
    outputs: usize,
    summed: usize,
    panels: Panels,
}

/// Panels one after the other, each over all summed values.
enum Panels {
    /// bf16: a panel is `[summed / 2][32][2]`.
    Operands(Vec<Line>),
    /// 8-bit integers that have a scale for each output and 64 summed values.
    Integers {
        /// By panel `[summed / 4][32][4]`.
        values: Vec<Line>,
        /// By panel `[stretches][32]`.
        scales: Vec<Line>,
        /// Where sums start, as the scales.
        starts: Vec<Line>,
    },
}

impl Merged {
    /// Whether operands of `E` are multiplied with matrices merged in bf16: they are bf16, and the processor has the
    /// instructions.
    pub fn is_bf16_for<E: Element>() -> bool {
        E::GROUP == bf16::GROUP && multiplied_as_stored::<E>()
    }

    /// Bytes that a matrix of such a shape takes in bf16.
    pub fn bf16_bytes(outputs: usize, summed: usize) -> usize {
        outputs.div_ceil(PANEL) * panel_length::<bf16>(summed) * size_of::<bf16>()
    }

    /// Bytes that a matrix of such a shape takes in 8-bit integers: 1.13 a value.
    pub fn integer_bytes(outputs: usize, summed: usize) -> usize {
        let (integers, line) = sizes(summed);
        outputs.div_ceil(PANEL) * (integers + 2 * 4 * line)
    }

    /// Merges in bf16, on the current thread pool; to be used where [`Merged::is_bf16_for`] says so.
    ///
    /// # Shapes
    /// `weight`: `[outputs, summed]`.
    pub fn in_bf16(weight: &Weight, low_rank: LowRank) -> Self {
        let length = panel_length::<bf16>(weight.columns);
        let mut lines = lines(Self::bf16_bytes(weight.rows, weight.columns));
        let shared = Shared::new(cast_slice_mut::<_, bf16>(&mut lines));
        each_panel(weight, Some(low_rank), |panel, values| {
            // SAFETY: each task writes its own panel.
            let out = unsafe { shared.part(panel * length, length) };
            // A panel in f32 is a matrix whose columns are the outputs.
            let values = Weight::of(values, weight.columns, PANEL);
            pack(&values, Side::Backward, 0, 0, weight.columns, out);
        });
        Self { outputs: weight.rows, summed: weight.columns, panels: Panels::Operands(lines) }
    }

    /// Merges in 8-bit integers, on the current thread pool.
    ///
    /// # Shapes
    /// `weight`: `[outputs, summed]`.
    pub fn in_integers(weight: &Weight, low_rank: Option<LowRank>) -> Self {
        let panels = weight.rows.div_ceil(PANEL);
        let (length, line) = sizes(weight.columns);
        let mut values = lines(panels * length);
        let (mut scales, mut starts) = (lines(panels * line * 4), lines(panels * line * 4));
        let shared_values = Shared::new(cast_slice_mut::<_, i8>(&mut values));
        let shared_scales = Shared::new(cast_slice_mut::<_, f32>(&mut scales));
        let shared_starts = Shared::new(cast_slice_mut::<_, i32>(&mut starts));
        each_panel(weight, low_rank, |panel, values| {
            // SAFETY: each task writes its own panel.
            let (integers, scales, starts) = unsafe {
                (
                    shared_values.part(panel * length, length),
                    shared_scales.part(panel * line, line),
                    shared_starts.part(panel * line, line),
                )
            };
            eight::round_panel(values, integers, scales, starts);
        });
        let panels = Panels::Integers { values, scales, starts };
        Self { outputs: weight.rows, summed: weight.columns, panels }
    }

    /// The panel of the outputs from `column` on, over summed values from `start` on.
    #[inline]
    pub(super) fn piece(&self, column: usize, start: usize) -> MergedPiece<'_> {
        let panel = column / PANEL;
        match &self.panels {
            Panels::Operands(values) => {
                let length = panel_length::<bf16>(self.summed);
                MergedPiece::Operands(&cast_slice(values)[panel * length..][..length][start * PANEL..])
            }
            Panels::Integers { values, scales, starts } => {
                let ((length, line), skipped) = (sizes(self.summed), start / STRETCH * PANEL);
                MergedPiece::Integers(
                    &cast_slice(values)[panel * length..][..length][start * PANEL..],
                    &cast_slice(scales)[panel * line..][..line][skipped..],
                    &cast_slice(starts)[panel * line..][..line][skipped..],
                )
            }
        }
    }

    /// Its outputs and summed values.
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.outputs, self.summed)
    }

    /// The integers that it is in.
    pub(super) fn integers(&self) -> Option<Width> {
        matches!(self.panels, Panels::Integers { .. }).then_some(Width::Eight)
    }
}

/// A part of a panel.
pub(super) enum MergedPiece<'a> {
    Operands(&'a [bf16]),
    /// Integers, scales and starts.
    Integers(&'a [i8], &'a [f32], &'a [i32]),
}

fn lines(bytes: usize) -> Vec<Line> {
    bytemuck::allocation::zeroed_vec(bytes.div_ceil(size_of::<Line>()))
}

/// Calls `work` with every panel's number and its merged values `[summed][32]`, on all threads.
fn each_panel(weight: &Weight, low_rank: Option<LowRank>, work: impl Fn(usize, &[f32]) + Sync + Send) {
    let summed = weight.columns;
    parallel::for_each(weight.rows.div_ceil(PANEL), |panel| {
        scratch::with(scratch::bytes::<f32>(summed * PANEL), |mut arena| {
            let values = arena.take::<f32>(summed * PANEL);
            pack(weight, Side::Forward, panel * PANEL, 0, summed, values);
            if let Some(low_rank) = &low_rank {
                add(low_rank, weight.rows, panel * PANEL, summed, values);
            }
            work(panel, values);
        });
    });
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

/// Ranks that are added at a time.
const RANKS: usize = 32;

vectorised! {
    /// Adds the low-rank matrix to a panel `[summed][32]` of the outputs from `first` on.
    fn add(low_rank: &LowRank, outputs: usize, first: usize, summed: usize, panel: &mut [f32]) {
        let width = PANEL.min(outputs - first);
        for (a, b) in low_rank.a.chunks(RANKS * summed).zip(low_rank.b.chunks(RANKS * outputs)) {
            let mut scaled = [[0.0f32; PANEL]; RANKS];
            for (scaled, b) in scaled.iter_mut().zip(b.chunks_exact(outputs)) {
                scaled.iter_mut().zip(&b[first..first + width]).for_each(|(scaled, b)| *scaled = low_rank.scale * b);
            }
            for (inner, line) in panel.as_chunks_mut::<PANEL>().0.iter_mut().enumerate() {
                let mut sums = *line;
                for (b, a) in scaled.iter().zip(a[inner..].iter().step_by(summed)) {
                    sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += a * b);
                }
                *line = sums;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Matrix, MatrixMut,
        product::{Output, Term, product, tests::values},
    };

    /// A product of so many rows with a merged matrix, as with the sum of both matrices, which is rounded on the way.
    fn check<E: Element>(rows: usize, outputs: usize, summed: usize, rank: usize, integers: Option<Width>) {
        let left: Vec<E> = values(rows * summed, 3).into_iter().map(E::from_f32).collect();
        let weight = values(outputs * summed, 5);
        let (a, b) = (values(rank * summed, 7), values(rank * outputs, 11));
        let mut sum = weight.clone();
        for output in 0..outputs {
            for inner in 0..summed {
                let added = (0..rank).map(|k| 0.5 * a[k * summed + inner] * b[k * outputs + output]);
                sum[output * summed + inner] += added.sum::<f32>();
            }
        }
        let frozen = Weight::of(&weight, outputs, summed);
        let low_rank = LowRank { a: &a, b: &b, scale: 0.5 };
        let (merged, reckoned, bytes) = match integers {
            Some(_) => (
                Merged::in_integers(&frozen, Some(low_rank)),
                Merged::integer_bytes(outputs, summed),
                outputs.next_multiple_of(PANEL) * (summed.next_multiple_of(4) + 8 * summed.div_ceil(STRETCH)),
            ),
            None => (
                Merged::in_bf16(&frozen, low_rank),
                Merged::bf16_bytes(outputs, summed),
                2 * outputs.next_multiple_of(PANEL) * summed.next_multiple_of(2),
            ),
        };
        assert_eq!(reckoned, bytes);
        let mut outs = [vec![0.0; rows * outputs], vec![0.0; rows * outputs]];
        let ways = [(Weight::of(&sum, outputs, summed), None), (frozen, Some(&merged))];
        for (out, (weight, merged)) in outs.iter_mut().zip(ways) {
            let left = Matrix::new(&left, rows, summed);
            let term = Term { integers, merged, ..Term::forward(left, weight) };
            product(&[term], 1.0, Output::<E>::Store(MatrixMut::new(out, rows, outputs)));
        }
        let largest = outs[0].iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
        for (exact, merged) in outs[0].iter().zip(&outs[1]) {
            // A sum that ends between two numbers may be rounded either way.
            assert!(
                (exact - merged).abs() <= 1e-3 * largest,
                "{rows}×{outputs}×{summed} {integers:?}: {exact} {merged}"
            );
        }
    }

    #[test]
    fn it_multiplies_as_the_sum_of_both_matrices() {
        for (rows, outputs, summed, rank) in
            [(1, 1, 4, 1), (13, 33, 65, 3), (30, 96, 200, 40), (25, 200, 20_000, 2)]
        {
            check::<f32>(rows, outputs, summed, rank, Some(Width::Eight));
            check::<bf16>(rows, outputs, summed, rank, Some(Width::Eight));
            if Merged::is_bf16_for::<bf16>() {
                check::<bf16>(rows, outputs, summed, rank, None);
            }
        }
    }
}

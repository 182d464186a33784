//! A frozen matrix and what its adapter adds, packed once for many GEMMs.
//!
//! A GEMM packs B anew each time, which for a few rows of A costs as much as multiplying. For inference a model that is
//! small enough keeps its packed panels; an adapter is added to them on the way, so that it costs nothing later.

use bytemuck::{cast_slice, cast_slice_mut};
use half::bf16;
use irtune_device::{Side, WeightView};

use super::{
    integer::{
        Integers,
        int8::{self, Int8Panel, Int8PanelMut},
    },
    pack::{PanelRange, pack},
    tile::{NR, panel_length, panels},
};
use crate::{
    simd::{
        element::{Element, is_native},
        vectorised,
    },
    threads::{
        disjoint::DisjointSlice,
        parallel,
        scratch::{self, CacheLine},
    },
};

/// `scale · Bᵀ A`, a matrix of low rank.
#[derive(Clone, Copy, Debug)]
pub struct LowRank<'a> {
    /// `[rank, K]`
    pub a: &'a [f32],
    /// `[rank, N]`
    pub b: &'a [f32],
    /// Its factor.
    pub scale: f32,
}

/// `W + scale · Bᵀ A`, `[N, K]`, packed for the forward side and rounded once.
pub struct Prepacked {
    n: usize,
    k: usize,
    panels: Panels,
}

/// Panels one after the other, each over the whole of K.
enum Panels {
    /// A panel is `[K / 2, 32, 2]`.
    Bf16(Vec<CacheLine>),
    Int8 {
        /// By panel `[K / 4, 32, 4]`.
        values: Vec<CacheLine>,
        /// By panel `[groups, 32]`.
        scales: Vec<CacheLine>,
        /// By panel `[groups, 32]`.
        compensation: Vec<CacheLine>,
    },
}

impl Prepacked {
    /// Whether a matrix in bf16 can be multiplied with operands of `E`: they are bf16, and the processor has the
    /// instructions.
    pub fn has_bf16<E: Element>() -> bool {
        E::K_PACK == bf16::K_PACK && is_native::<E>()
    }

    /// Bytes that a matrix `[n, k]` takes in bf16.
    pub fn bf16_bytes(n: usize, k: usize) -> usize {
        panels(n) * panel_length::<bf16>(k) * size_of::<bf16>()
    }

    /// Bytes that a matrix `[n, k]` takes in 8-bit integers: 1.13 a value.
    pub fn int8_bytes(n: usize, k: usize) -> usize {
        let (integers, scales) = int8_lengths(k);
        panels(n) * (integers + 2 * 4 * scales)
    }

    /// Packs to bf16, on the current thread pool; to be used where [`Prepacked::has_bf16`] says so.
    ///
    /// # Shapes
    /// `weight`: `[N, K]`.
    pub fn bf16(weight: &WeightView, low_rank: LowRank) -> Self {
        let length = panel_length::<bf16>(weight.columns);
        let mut lines = zeroed(Self::bf16_bytes(weight.rows, weight.columns));
        let shared = DisjointSlice::new(cast_slice_mut::<_, bf16>(&mut lines));
        each_panel(weight, Some(low_rank), |panel, values| {
            // SAFETY: each task writes its own panel.
            let out = unsafe { shared.part(panel * length, length) };
            // A panel in f32 is a matrix [K, 32], read as the backward side reads a weight.
            let values = WeightView::of(values, weight.columns, NR);
            pack(&values, PanelRange { side: Side::Backward, column: 0, k: 0, depth: weight.columns }, out);
        });
        Self { n: weight.rows, k: weight.columns, panels: Panels::Bf16(lines) }
    }

    /// Packs to 8-bit integers, on the current thread pool.
    ///
    /// # Shapes
    /// `weight`: `[N, K]`.
    pub fn int8(weight: &WeightView, low_rank: Option<LowRank>) -> Self {
        let panels = panels(weight.rows);
        let (length, scales_length) = int8_lengths(weight.columns);
        let mut values = zeroed(panels * length);
        let mut scales = zeroed(panels * scales_length * 4);
        let mut compensation = zeroed(panels * scales_length * 4);
        let shared_values = DisjointSlice::new(cast_slice_mut::<_, i8>(&mut values));
        let shared_scales = DisjointSlice::new(cast_slice_mut::<_, f32>(&mut scales));
        let shared_compensation = DisjointSlice::new(cast_slice_mut::<_, i32>(&mut compensation));
        each_panel(weight, low_rank, |panel, values| {
            // SAFETY: each task writes its own panel.
            let out = unsafe {
                Int8PanelMut {
                    values: shared_values.part(panel * length, length),
                    scales: shared_scales.part(panel * scales_length, scales_length),
                    compensation: shared_compensation.part(panel * scales_length, scales_length),
                }
            };
            int8::quantise::quantise_panel(values, out);
        });
        let panels = Panels::Int8 { values, scales, compensation };
        Self { n: weight.rows, k: weight.columns, panels }
    }

    /// The panel of the columns of B from `column` on, from value `start` of K on.
    #[inline]
    pub(super) fn panel(&self, column: usize, start: usize) -> PrepackedPanel<'_> {
        let panel = column / NR;
        match &self.panels {
            Panels::Bf16(values) => {
                let length = panel_length::<bf16>(self.k);
                PrepackedPanel::Bf16(&cast_slice(values)[panel * length..][..length][start * NR..])
            }
            Panels::Int8 { values, scales, compensation } => {
                let ((length, scales_length), skipped) = (int8_lengths(self.k), start / int8::GROUP * NR);
                PrepackedPanel::Int8(Int8Panel {
                    values: &cast_slice(values)[panel * length..][..length][start * NR..],
                    scales: &cast_slice(scales)[panel * scales_length..][..scales_length][skipped..],
                    compensation: &cast_slice(compensation)[panel * scales_length..][..scales_length]
                        [skipped..],
                })
            }
        }
    }

    /// N and K.
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.n, self.k)
    }

    /// The integers that it is in.
    pub(super) fn integers(&self) -> Option<Integers> {
        matches!(self.panels, Panels::Int8 { .. }).then_some(Integers::Int8)
    }
}

/// A panel from some value of K on.
pub(super) enum PrepackedPanel<'a> {
    Bf16(&'a [bf16]),
    Int8(Int8Panel<'a>),
}

fn zeroed(bytes: usize) -> Vec<CacheLine> {
    bytemuck::allocation::zeroed_vec(bytes.div_ceil(size_of::<CacheLine>()))
}

/// Calls `work` with every panel's number and its values `[K, 32]`, the adapter's added, on all threads.
fn each_panel(weight: &WeightView, low_rank: Option<LowRank>, work: impl Fn(usize, &[f32]) + Sync + Send) {
    let k = weight.columns;
    parallel::for_each(panels(weight.rows), |panel| {
        scratch::with(scratch::bytes::<f32>(k * NR), |mut arena| {
            let values = arena.take::<f32>(k * NR);
            pack(weight, PanelRange { side: Side::Forward, column: panel * NR, k: 0, depth: k }, values);
            if let Some(low_rank) = &low_rank {
                add(low_rank, weight.rows, panel * NR, k, values);
            }
            work(panel, values);
        });
    });
}

impl std::fmt::Debug for Prepacked {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(formatter, "Prepacked({} × {})", self.n, self.k)
    }
}

/// Integers, and scales, of one panel.
fn int8_lengths(k: usize) -> (usize, usize) {
    (k.next_multiple_of(int8::K_PACK) * NR, k.div_ceil(int8::GROUP) * NR)
}

/// Ranks that are added at a time.
const RANKS: usize = 32;

vectorised! {
    /// Adds the low-rank matrix to a panel `[k, 32]` of the columns from `first` on, of `n` in all.
    fn add(low_rank: &LowRank, n: usize, first: usize, k: usize, panel: &mut [f32]) {
        let width = NR.min(n - first);
        for (a, b) in low_rank.a.chunks(RANKS * k).zip(low_rank.b.chunks(RANKS * n)) {
            let mut scaled = [[0.0f32; NR]; RANKS];
            for (scaled, b) in scaled.iter_mut().zip(b.chunks_exact(n)) {
                scaled.iter_mut().zip(&b[first..first + width]).for_each(|(scaled, b)| *scaled = low_rank.scale * b);
            }
            for (inner, line) in panel.as_chunks_mut::<NR>().0.iter_mut().enumerate() {
                let mut sums = *line;
                for (b, a) in scaled.iter().zip(a[inner..].iter().step_by(k)) {
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
        gemm::{Output, Term, gemm, test_values::values},
        matrix::{Matrix, MatrixMut},
    };

    /// A GEMM with a prepacked matrix, as with the sum of both matrices, which is rounded on the way.
    fn check<E: Element>([m, n, k, rank]: [usize; 4], integers: Option<Integers>) {
        let operands: Vec<E> = values(m * k, 3).into_iter().map(E::from_f32).collect();
        let weight = values(n * k, 5);
        let (a, b) = (values(rank * k, 7), values(rank * n, 11));
        let mut sum = weight.clone();
        for output in 0..n {
            for inner in 0..k {
                let added = (0..rank).map(|r| 0.5 * a[r * k + inner] * b[r * n + output]);
                sum[output * k + inner] += added.sum::<f32>();
            }
        }
        let (sum, frozen) = (WeightView::of(&sum, n, k), WeightView::of(&weight, n, k));
        let low_rank = LowRank { a: &a, b: &b, scale: 0.5 };
        crate::simd::at_every_level(|set| {
            if integers.is_none() && !Prepacked::has_bf16::<E>() {
                return;
            }
            let (prepacked, promised, bytes) = match integers {
                Some(_) => (
                    Prepacked::int8(&frozen, Some(low_rank)),
                    Prepacked::int8_bytes(n, k),
                    n.next_multiple_of(NR) * (k.next_multiple_of(4) + 8 * k.div_ceil(int8::GROUP)),
                ),
                None => (
                    Prepacked::bf16(&frozen, low_rank),
                    Prepacked::bf16_bytes(n, k),
                    2 * n.next_multiple_of(NR) * k.next_multiple_of(2),
                ),
            };
            assert_eq!(promised, bytes);
            let [exact, found] = [(sum, None), (frozen, Some(&prepacked))].map(|(weight, prepacked)| {
                let mut out = vec![0.0; m * n];
                let term =
                    Term { integers, prepacked, ..Term::forward(Matrix::new(&operands, m, k), weight) };
                gemm(&[term], 1.0, Output::<E>::Store(MatrixMut::new(&mut out, m, n)));
                out
            });
            let largest = exact.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            for (exact, found) in exact.iter().zip(&found) {
                // A sum that ends between two numbers may be rounded either way.
                assert!(
                    (exact - found).abs() <= 1e-3 * largest,
                    "{set:?} {m}×{n}×{k} {integers:?}: {exact} {found}"
                );
            }
        });
    }

    #[test]
    fn it_multiplies_as_the_sum_of_both_matrices() {
        for sizes in [[1, 1, 4, 1], [13, 33, 65, 3], [30, 96, 200, 40], [25, 200, 20_000, 2]] {
            check::<f32>(sizes, Some(Integers::Int8));
            check::<bf16>(sizes, Some(Integers::Int8));
            check::<bf16>(sizes, None);
        }
    }
}

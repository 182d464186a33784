//! GEMM of packed activations with weights in their own formats, several of them summed into one output.
//!
//! C `[M, N]` becomes `scale · Σ A · B` over a few [`Term`]s. A `[M, K]` are activations, B `[K, N]` is a weight. A
//! base's projection and its adapter are two terms: their sums stay in registers together, and C is written once.
//!
//! The work is cut as BLIS cuts it. `plan` cuts C into tasks, each some rows by a few panels of 32 columns.
//! `k_blocks` cuts K, so that a task's packed panels stay in the second-level cache. `pack` decodes B into these
//! panels. For every 12 rows of A (`a_block`) the `microkernel` goes through the panels with its 12 × 32 sums in
//! registers, and `epilogue` writes them.
//!
//! Why not a GEMM library: those take B as a dense matrix. A quantised weight would have to be decoded to memory first,
//! and a sum of terms would be written and read once for each.

mod a_block;
mod b_panels;
mod cut;
mod epilogue;
pub(crate) mod integer;
mod k_blocks;
pub(crate) mod mask;
pub(crate) mod microkernel;
pub(crate) mod pack;
pub mod peak;
mod plan;
mod prepacked;
mod quantised_a;
mod task;
mod term;
#[cfg(test)]
mod test_values;
pub(crate) mod tile;

use crate::{
    simd::element::{Element, is_native},
    threads::parallel,
};

use epilogue::Target;
use plan::Plan;
use quantised_a::with_quantised_a;

pub use epilogue::Output;
pub use integer::Integers;
pub use mask::Mask;
pub use prepacked::{LowRank, Prepacked};
pub use term::Term;

/// Writes `scale · Σ A · B` over the terms to `output`, on the current thread pool.
///
/// # Shapes
/// Every A has the output's rows, every B the output's columns.
///
/// # Panics
/// When shapes disagree: that is a mistake of the caller, not of data.
pub fn gemm<E: Element>(terms: &[Term<E>], scale: f32, output: Output<E>) {
    let (rows, columns) = output.shape();
    terms.iter().for_each(|term| term.check(rows, columns));
    if rows == 0 || columns == 0 {
        return;
    }
    let target = Target::new(output);
    let native = is_native::<E>();
    let plan = Plan::new(rows, columns);
    with_quantised_a(terms, |quantised| {
        parallel::for_each(plan.tasks(), |index| {
            let task = plan.task(index);
            if native {
                task::compute::<E, E>(terms, quantised, scale, &target, task);
            } else {
                task::compute::<E, f32>(terms, quantised, scale, &target, task);
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use half::bf16;
    use irtune_device::{Side, WeightView};

    use super::{test_values::values, *};
    use crate::matrix::{Matrix, MatrixMut};

    fn operands<E: Element>(values: &[f32]) -> Vec<E> {
        values.iter().map(|&value| E::from_f32(value)).collect()
    }

    /// `A · B` for `B` as both sides store it, by a triple loop in f64; and for each sum that of the magnitudes.
    fn triple_loop<E: Element>([m, n, k]: [usize; 3], side: Side, a: &[E], b: &[E]) -> Vec<(f64, f64)> {
        let wide = |values: &[E]| values.iter().map(|value| f64::from(value.to_f32())).collect::<Vec<_>>();
        let (a, b) = (wide(a), wide(b));
        let sum = |row: usize, column: usize| {
            (0..k).fold((0.0, 1.0), |(sum, size), inner| {
                let place = if side == Side::Forward { column * k + inner } else { inner * n + column };
                let product = a[row * k + inner] * b[place];
                (sum + product, size + product.abs())
            })
        };
        (0..m * n).map(|place| sum(place / n, place % n)).collect()
    }

    /// Every level, in operands and in integers, against the triple loop.
    fn check<E: Element>([m, n, k]: [usize; 3], side: Side) {
        let (a, b): (Vec<E>, Vec<E>) = (operands(&values(m * k, 3)), operands(&values(n * k, 17)));
        let (weight_rows, weight_columns) = if side == Side::Forward { (n, k) } else { (k, n) };
        let exact = triple_loop([m, n, k], side, &a, &b);
        let root = (k as f64).sqrt();
        crate::simd::at_every_level(|set| {
            // A and B are below 1 and rounded by at most 1/4094 and 1/2046, or 1/254, either way alike.
            for (integers, rounding) in
                [(None, 0.0), (Some(Integers::Int16), 2.0 * 7e-4), (Some(Integers::Int8), 2.0 * 6e-3)]
            {
                let term = Term {
                    a: Matrix::new(&a, m, k),
                    b: WeightView::of(&b, weight_rows, weight_columns),
                    side,
                    mask: None,
                    integers,
                    prepacked: None,
                };
                let mut out = vec![1.0f32; m * n];
                gemm(&[term, term], 0.5, Output::<E>::Add(MatrixMut::new(&mut out, m, n)));
                for (found, (exact, size)) in out.iter().zip(&exact) {
                    let error = (f64::from(*found) - 1.0 - exact).abs();
                    // Rounding errors of a sequential f32 sum grow like the square root of its length.
                    let tolerance = 1.2e-7 * size * root.max(2.0) + root * rounding;
                    assert!(
                        error < tolerance,
                        "{set:?} {integers:?} {side:?} {m}×{n}×{k}: {error} against {tolerance}"
                    );
                }
            }
        });
    }

    /// Sizes that straddle the borders of tiles, panels and blocks of K.
    #[test]
    fn every_level_agrees_with_a_triple_loop() {
        for sizes in [
            [1, 1, 1],
            [11, 31, 15],
            [12, 32, 16],
            [13, 33, 17],
            [25, 64, 127],
            [130, 200, 129],
            [25, 64, 2048],
            [40, 64, 20_000],
        ] {
            for side in [Side::Forward, Side::Backward] {
                check::<f32>(sizes, side);
                check::<bf16>(sizes, side);
            }
        }
    }
}

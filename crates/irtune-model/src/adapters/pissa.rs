//! PiSSA's start: the principal singular vectors of a frozen matrix, split between A and B.
//!
//! Small matrices are decomposed exactly, others by subspace iteration from random vectors, a few more than are wanted:
//! what is not quite principal is no loss, since the adapter takes away exactly what it starts from. It takes some seconds
//! for a base of 100 million parameters, once, when an engine is made.
//!
//! # Source
//! Meng et al. 2024, arXiv 2404.02948; Halko, Martinsson & Tropp 2011, algorithm 4.4, as `torch.svd_lowrank` has it.

use irtune_device::WeightView;
use nalgebra::{DMatrix, SymmetricEigen};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Below this shorter side the decomposition is exact.
const EXACT: usize = 256;
/// Vectors beyond those that are wanted.
const SPARE: usize = 16;
/// Rounds of the subspace iteration; four are usual.
const ROUNDS: usize = 4;

/// A `[rank, inputs]` and B transposed `[rank, outputs]` with `scaling · B A` the best approximation of its rank; rows
/// beyond the matrix's own rank are 0.
pub(super) fn principal(weight: &WeightView, rank: usize, scaling: f32) -> (Vec<f32>, Vec<f32>) {
    let (outputs, inputs) = (weight.rows, weight.columns);
    let mut values = vec![0.0f32; outputs * inputs];
    values.chunks_mut(inputs).enumerate().for_each(|(row, out)| weight.decode_row(row, out));
    let matrix = DMatrix::from_row_iterator(outputs, inputs, values.iter().map(|&value| f64::from(value)));
    let shorter = outputs.min(inputs);
    let width = if shorter <= EXACT { shorter } else { shorter.min(rank + SPARE) };

    let mut random = ChaCha8Rng::seed_from_u64(rank as u64);
    let start =
        DMatrix::from_fn(inputs, width, |_, _| f64::from(random.next_u32()) / f64::from(u32::MAX) - 0.5);
    let mut range = (&matrix * start).qr().q();
    for _ in 0..ROUNDS {
        let turned = matrix.tr_mul(&range).qr().q();
        range = (&matrix * turned).qr().q();
    }
    let small = range.tr_mul(&matrix);
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(&small * small.transpose());
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&left, &right| eigenvalues[right].total_cmp(&eigenvalues[left]));

    let (mut a, mut b) = (vec![0.0; rank * inputs], vec![0.0; rank * outputs]);
    let rows = a.chunks_exact_mut(inputs).zip(b.chunks_exact_mut(outputs));
    for (&place, (a, b)) in order.iter().zip(rows) {
        let singular = eigenvalues[place].max(0.0).sqrt();
        if singular == 0.0 {
            break;
        }
        let share = (singular / f64::from(scaling)).sqrt();
        let left = &range * eigenvectors.column(place);
        let right = small.tr_mul(&eigenvectors.column(place));
        a.iter_mut().zip(right.iter()).for_each(|(out, value)| *out = (value / singular * share) as f32);
        b.iter_mut().zip(left.iter()).for_each(|(out, value)| *out = (value * share) as f32);
    }
    (a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix of this shape whose singular values halve from 8 on, and what is left of it without the first `rank`.
    fn falling(outputs: usize, inputs: usize, rank: usize) -> (Vec<f32>, f64) {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let mut orthogonal = |rows: usize| {
            let draw = |_, _| f64::from(random.next_u32()) / f64::from(u32::MAX) - 0.5;
            DMatrix::from_fn(rows, 12, draw).qr().q()
        };
        let (left, right) = (orthogonal(outputs), orthogonal(inputs));
        let singular =
            DMatrix::from_fn(
                12,
                12,
                |row, column| {
                    if row == column { 8.0 * 0.5f64.powi(row as i32) } else { 0.0 }
                },
            );
        let matrix = left * singular * right.transpose();
        let rest = (rank..12).map(|index| (8.0 * 0.5f64.powi(index as i32)).powi(2)).sum::<f64>().sqrt();
        let rows = (0..outputs).flat_map(|row| (0..inputs).map(move |column| (row, column)));
        (rows.map(|place| matrix[place] as f32).collect(), rest)
    }

    #[test]
    fn what_is_left_is_as_small_as_it_can_be() {
        for (outputs, inputs) in [(40, 30), (300, 420), (420, 300)] {
            let (rank, scaling) = (4, 2.0);
            let (values, best) = falling(outputs, inputs, rank);
            let (a, b) = principal(&WeightView::of(&values, outputs, inputs), rank, scaling);
            let mut squares = 0.0;
            for output in 0..outputs {
                for input in 0..inputs {
                    let product: f64 = (0..rank)
                        .map(|k| f64::from(b[k * outputs + output]) * f64::from(a[k * inputs + input]))
                        .sum();
                    let value = f64::from(values[output * inputs + input]);
                    squares += (value - f64::from(scaling) * product).powi(2);
                }
            }
            let rest = squares.sqrt();
            assert!((rest / best - 1.0).abs() < 1e-4, "{outputs} × {inputs}: {rest}, best {best}");
            // Both matrices have the same share of each singular value.
            let size = |row: &[f32]| row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>();
            for (a, b) in a.chunks(inputs).zip(b.chunks(outputs)) {
                assert!((size(a) / size(b) - 1.0).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn a_rank_beyond_the_matrix_leaves_zeros() {
        let values: Vec<f32> = (0..6).map(|value| value as f32).collect();
        let (a, b) = principal(&WeightView::of(&values, 2, 3), 4, 1.0);
        assert!(a[..6].iter().any(|&value| value != 0.0));
        assert!(a[6..].iter().chain(&b[4..]).all(|&value| value == 0.0));
    }
}

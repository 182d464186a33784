//! Matrices scaled column by column, and sums of products down their columns.
//!
//! The first is what (IA)³'s and DoRA's vectors do to activations, the second is their gradient.

use crate::{
    simd::{element::Element, vectorised},
    threads::parallel,
};

/// `out = addend + factors ∘ input`, row by row; without factors they are 1, without an addend it is 0.
///
/// # Shapes
/// `input`, `addend`, `out`: `[rows, columns]`; `factors`: `[columns]`.
pub fn scale<E: Element>(
    input: &[E],
    factors: Option<&[f32]>,
    addend: Option<&[f32]>,
    columns: usize,
    out: &mut [E],
) {
    check(input.len(), factors, columns);
    assert!(out.len() == input.len() && addend.is_none_or(|addend| addend.len() == input.len()));
    each_task(out, columns, |range, out| {
        scale_rows(&input[range.clone()], factors, addend.map(|addend| &addend[range]), columns, out);
    });
}

/// `out += factors ∘ input`, row by row; without factors they are 1.
///
/// # Shapes
/// `input`, `out`: `[rows, columns]`; `factors`: `[columns]`.
pub fn add<E: Element>(input: &[E], factors: Option<&[f32]>, columns: usize, out: &mut [f32]) {
    check(input.len(), factors, columns);
    assert_eq!(out.len(), input.len(), "lengths of a scaled sum");
    each_task(out, columns, |range, out| add_rows(&input[range], factors, columns, out));
}

/// Adds `Σ_rows left ∘ right` to `out`: the gradient of the factors of [`scale`] from that of its output and its input.
///
/// # Shapes
/// `left`, `right`: `[rows, columns]`; `out`: `[columns]`.
pub fn add_products<E: Element>(left: &[E], right: &[E], columns: usize, out: &mut [f32]) {
    assert!(left.len() == right.len() && left.len().is_multiple_of(columns) && out.len() == columns);
    parallel::for_each_chunk(out, STRIPE, |first, out| add_stripe(left, right, columns, first, out));
}

/// Columns of a task of [`add_products`].
const STRIPE: usize = 64;

fn check(length: usize, factors: Option<&[f32]>, columns: usize) {
    assert!(length.is_multiple_of(columns), "{length} values in rows of {columns}");
    assert!(factors.is_none_or(|factors| factors.len() == columns), "factors of {columns} columns");
}

/// Splits rows among tasks, which get their range of values.
fn each_task<T: Send>(
    out: &mut [T],
    columns: usize,
    work: impl Fn(std::ops::Range<usize>, &mut [T]) + Sync + Send,
) {
    parallel::for_each_chunk(out, parallel::rows_per_task(columns) * columns, |first, out| {
        work(first..first + out.len(), out);
    });
}

vectorised! {
    fn scale_rows<E: Element>(input: &[E], factors: Option<&[f32]>, addend: Option<&[f32]>, columns: usize, out: &mut [E]) {
        for (row, (input, out)) in input.chunks_exact(columns).zip(out.chunks_exact_mut(columns)).enumerate() {
            match (factors, addend.map(|addend| &addend[row * columns..][..columns])) {
                (Some(factors), None) => {
                    for ((out, value), factor) in out.iter_mut().zip(input).zip(factors) {
                        *out = E::from_f32(value.to_f32() * factor);
                    }
                }
                (Some(factors), Some(addend)) => {
                    for (((out, value), factor), addend) in out.iter_mut().zip(input).zip(factors).zip(addend) {
                        *out = E::from_f32(addend + value.to_f32() * factor);
                    }
                }
                (None, Some(addend)) => {
                    for ((out, value), addend) in out.iter_mut().zip(input).zip(addend) {
                        *out = E::from_f32(addend + value.to_f32());
                    }
                }
                (None, None) => out.copy_from_slice(input),
            }
        }
    }
}

vectorised! {
    fn add_rows<E: Element>(input: &[E], factors: Option<&[f32]>, columns: usize, out: &mut [f32]) {
        for (input, out) in input.chunks_exact(columns).zip(out.chunks_exact_mut(columns)) {
            match factors {
                Some(factors) => {
                    for ((out, value), factor) in out.iter_mut().zip(input).zip(factors) {
                        *out += value.to_f32() * factor;
                    }
                }
                None => out.iter_mut().zip(input).for_each(|(out, value)| *out += value.to_f32()),
            }
        }
    }
}

vectorised! {
    fn add_stripe<E: Element>(left: &[E], right: &[E], columns: usize, first: usize, out: &mut [f32]) {
        // Sums of 32 rows are added up in turn, so that long batches lose no digits.
        for rows in (0..left.len() / columns).step_by(32) {
            let mut sums = [0.0f32; STRIPE];
            for row in rows..(rows + 32).min(left.len() / columns) {
                let left = &left[row * columns + first..][..out.len()];
                let right = &right[row * columns + first..][..out.len()];
                for ((sum, left), right) in sums.iter_mut().zip(left).zip(right) {
                    *sum += left.to_f32() * right.to_f32();
                }
            }
            out.iter_mut().zip(&sums).for_each(|(out, sum)| *out += sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, so that every sum is exact.
    fn numbers(length: usize, step: usize) -> Vec<f32> {
        (0..length).map(|index| (index * step % 13) as f32 - 6.0).collect()
    }

    #[test]
    fn every_way_to_scale_and_add_is_the_plain_loop() {
        crate::simd::at_every_level(|_| {
            for (rows, columns) in [(1, 1), (3, 17), (70, 65), (600, 64)] {
                let (input, addend) = (numbers(rows * columns, 5), numbers(rows * columns, 7));
                let factors = numbers(columns, 3);
                for (some_factors, some_addend) in
                    [(true, false), (true, true), (false, true), (false, false)]
                {
                    let expected: Vec<f32> = (0..rows * columns)
                        .map(|at| {
                            let factor = if some_factors { factors[at % columns] } else { 1.0 };
                            let addend = if some_addend { addend[at] } else { 0.0 };
                            addend + factor * input[at]
                        })
                        .collect();
                    let mut out = vec![9.0; rows * columns];
                    let (factors, addend) =
                        (some_factors.then_some(&factors[..]), some_addend.then_some(&addend[..]));
                    scale(&input, factors, addend, columns, &mut out);
                    assert_eq!(out, expected);
                    let mut out = addend.map_or_else(|| vec![0.0; rows * columns], <[f32]>::to_vec);
                    add(&input, factors, columns, &mut out);
                    assert_eq!(out, expected);
                }
                let mut out = factors.clone();
                add_products(&input, &addend, columns, &mut out);
                for (column, out) in out.iter().enumerate() {
                    let sum: f32 = (0..rows)
                        .map(|row| input[row * columns + column] * addend[row * columns + column])
                        .sum();
                    assert_eq!(*out, factors[column] + sum);
                }
            }
        });
    }
}

//! What a head reads of each example: weighted sums of rows beside numbers that are given.

use irtune_device::{Pooling, RowTerm};

use crate::{simd::vectorised, threads::parallel};

/// The sums of each example, one after the other, then its numbers. A task makes what is read of one example.
///
/// # Shapes
/// `rows`: `[rows that are read, width]`; `out`: `[examples, parts · width + given]`.
pub fn forward(rows: &[f32], width: usize, pooling: &Pooling, out: &mut [f32]) {
    let columns = pooling.columns(width);
    assert_eq!(out.len(), pooling.examples() * columns, "what is read of all examples");
    parallel::for_each_chunk(out, columns, |first, out| {
        let example = first / columns;
        let (sums, numbers) = out.split_at_mut(pooling.parts * width);
        for (part, sum) in sums.chunks_exact_mut(width).enumerate() {
            let terms = pooling.sums.terms(example * pooling.parts + part);
            add_terms(terms.iter().map(|term| (term, &rows[term.row as usize * width..][..width])), sum);
        }
        numbers.copy_from_slice(&pooling.numbers[example * pooling.given..][..pooling.given]);
    });
}

/// Gradients of the rows: each the sum over all sums that it is a term of.
///
/// # Shapes
/// `out_gradient`: `[examples, parts · width + given]`; `rows_gradient`: `[rows that are read, width]`, overwritten.
pub fn backward(out_gradient: &[f32], width: usize, pooling: &Pooling, rows_gradient: &mut [f32]) {
    let (columns, parts) = (pooling.columns(width), pooling.parts);
    assert_eq!(rows_gradient.len(), pooling.transposed.len() * width, "rows that are read");
    let chunk = parallel::rows_per_task(width) * width;
    parallel::for_each_chunk(rows_gradient, chunk, |first, gradients| {
        for (row, gradient) in gradients.chunks_exact_mut(width).enumerate() {
            let terms = pooling.transposed.terms(first / width + row).iter();
            let of = |term: &RowTerm| {
                let sum = term.row as usize;
                &out_gradient[sum / parts * columns + sum % parts * width..][..width]
            };
            add_terms(terms.map(|term| (term, of(term))), gradient);
        }
    });
}

/// The sum of the terms, in their order.
fn add_terms<'a>(terms: impl Iterator<Item = (&'a RowTerm, &'a [f32])>, out: &mut [f32]) {
    out.fill(0.0);
    terms.for_each(|(term, row)| add(term.weight, row, out));
}

vectorised! {
    fn add(weight: f32, row: &[f32], out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(row) {
            *out += weight * value;
        }
    }
}

//! The gradient of a bias: sums down the columns of its output's gradient.

use crate::{
    simd::{element::Element, vectorised},
    threads::parallel,
};

/// Columns that a task sums.
const STRIPE: usize = 64;

/// Adds `Σ_rows input` to `out`, summed in f32.
///
/// # Shapes
/// `input`: `[rows, columns]`; `out`: `[columns]`.
pub fn add_column_sums<E: Element>(input: &[E], columns: usize, out: &mut [f32]) {
    assert!(input.len().is_multiple_of(columns) && out.len() == columns, "shapes of column sums");
    parallel::for_each_chunk(out, STRIPE, |first, out| add_stripe(input, columns, first, out));
}

vectorised! {
    fn add_stripe<E: Element>(input: &[E], columns: usize, first: usize, out: &mut [f32]) {
        for row in input.chunks_exact(columns) {
            for (sum, value) in out.iter_mut().zip(&row[first..]) {
                *sum += value.to_f32();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_summed_onto_what_is_there() {
        let (rows, columns) = (5, 131);
        let input: Vec<f32> = (0..rows * columns).map(|index| (index % 17) as f32 - 8.0).collect();
        let mut sums = vec![1.0; columns];
        add_column_sums(&input, columns, &mut sums);
        for (column, sum) in sums.iter().enumerate() {
            let exact: f32 = (0..rows).map(|row| input[row * columns + column]).sum();
            assert_eq!(*sum, 1.0 + exact, "column {column}");
        }
    }
}

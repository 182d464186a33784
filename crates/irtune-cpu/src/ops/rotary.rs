//! Rotary position embedding of query and key heads, forward and backward.
//!
//! # Source
//! Su et al., "RoFormer", 2021, in transformers' layout: value j is rotated with value j + half the values that
//! turn.

use irtune_device::RotaryTable;

use crate::{
    matrix::MatrixMut,
    simd::{element::Element, vectorised},
    threads::{disjoint::DisjointSlice, parallel},
};

/// Rotates every head of every row by its position's angle.
///
/// # Shapes
/// `rows`: `[tokens, heads · head_size]`; `positions`: `[tokens]`.
pub fn forward<E: Element>(rows: MatrixMut<E>, table: &RotaryTable, positions: &[u32]) {
    rotate(rows, table, positions, 1.0);
}

/// The gradient of [`forward`]: every head is rotated back.
///
/// # Shapes
/// As for [`forward`].
pub fn backward<E: Element>(rows: MatrixMut<E>, table: &RotaryTable, positions: &[u32]) {
    rotate(rows, table, positions, -1.0);
}

fn rotate<E: Element>(rows: MatrixMut<E>, table: &RotaryTable, positions: &[u32], direction: f32) {
    rows.check();
    let (count, columns, stride) = (rows.rows, rows.columns, rows.stride);
    assert_eq!(positions.len(), count, "positions of rotary rows");
    assert!(columns.is_multiple_of(table.head_size()), "rows of whole heads");
    let chunk = parallel::rows_per_task(columns);
    let shared = DisjointSlice::new(rows.data);
    parallel::for_each(count.div_ceil(chunk), |task| {
        for (row, &position) in positions.iter().enumerate().skip(task * chunk).take(chunk) {
            // SAFETY: each task writes its own rows.
            let row = unsafe { shared.part(row * stride, columns) };
            rotate_row(row, table.head_size(), table.angles(position as usize), direction);
        }
    });
}

vectorised! {
    fn rotate_row<E: Element>(row: &mut [E], head_size: usize, table: &[f32], direction: f32) {
        let half = table.len() / 2;
        let (cosines, sines) = table.split_at(half);
        for head in row.chunks_exact_mut(head_size) {
            let (first, second) = head[..2 * half].split_at_mut(half);
            for (((first, second), cosine), sine) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
                let (a, b, sine) = (first.to_f32(), second.to_f32(), sine * direction);
                *first = E::from_f32(a * cosine - b * sine);
                *second = E::from_f32(b * cosine + a * sine);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_values_of_a_head_turn_and_factors_count_both_ways() {
        crate::simd::at_every_level(|_| {
            let table = RotaryTable::new(&[1.0, 0.5], 3).scaled(|position| 1.0 + position as f32).of_heads(6);
            let start = [3.0f32, -1.0, 2.0, 0.5, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
            let mut rows = start;
            forward(MatrixMut::new(&mut rows, 1, 12), &table, &[2]);
            for (found, start) in rows.chunks_exact(6).zip(start.chunks_exact(6)) {
                for pair in 0..2 {
                    let (sine, cosine) = (2.0 * [1.0f32, 0.5][pair]).sin_cos();
                    let expected = [
                        3.0 * (start[pair] * cosine - start[pair + 2] * sine),
                        3.0 * (start[pair + 2] * cosine + start[pair] * sine),
                    ];
                    assert!((found[pair] - expected[0]).abs() < 1e-5, "{found:?} {expected:?}");
                    assert!((found[pair + 2] - expected[1]).abs() < 1e-5, "{found:?} {expected:?}");
                }
                assert_eq!(found[4..], start[4..]);
            }
            // The gradient of a rotation times 3 is the rotation back, times 3.
            backward(MatrixMut::new(&mut rows, 1, 12), &table, &[2]);
            for (index, (found, start)) in rows.iter().zip(start).enumerate() {
                let factor = if index % 6 < 4 { 9.0 } else { 1.0 };
                assert!((found - factor * start).abs() < 1e-4, "{found} {start}");
            }
        });
    }
}

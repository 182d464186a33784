//! Rotary position embedding of query and key heads, forward and backward.
//!
//! # Source
//! Su et al., "RoFormer", 2021, in transformers' layout: value j is rotated with value j + half, half being the
//! number of pairs that turn; a head may be wider than its pairs.

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
            // What lies behind both halves doesn't turn.
            let (first, second) = head[..2 * half].split_at_mut(half);
            for (((first, second), cosine), sine) in first.iter_mut().zip(second).zip(cosines).zip(sines) {
                let (a, b, sine) = (first.to_f32(), second.to_f32(), sine * direction);
                *first = E::from_f32(a * cosine - b * sine);
                *second = E::from_f32(b * cosine + a * sine);
            }
        }
    }
}

//! Rows gathered, scattered, added, rounded, subtracted and transposed.

use irtune_device::WeightView;

use crate::{
    quant::decode::decode_row,
    simd::{element::Element, vectorised},
    threads::parallel,
};

/// Values of a task.
const CHUNK: usize = 32 * 1024;

/// The embedding rows of `tokens` times a factor.
///
/// # Shapes
/// `table`: `[vocabulary, width]`; `out`: `[tokens, width]`.
///
/// # Panics
/// When a token is not below the vocabulary's size.
pub fn embed(table: &WeightView, tokens: &[u32], factor: f32, out: &mut [f32]) {
    for (&token, out) in tokens.iter().zip(out.chunks_exact_mut(table.columns)) {
        assert!((token as usize) < table.rows, "token {token} of {}", table.rows);
        decode_row(table, token as usize, out);
        if factor != 1.0 {
            out.iter_mut().for_each(|value| *value *= factor);
        }
    }
}

/// Rounds f32 values to operands.
pub fn round<E: Element>(input: &[f32], out: &mut [E]) {
    assert_eq!(input.len(), out.len(), "lengths of a rounding");
    parallel::for_each_chunk(out, CHUNK, |first, out| round_range(&input[first..][..out.len()], out));
}

vectorised! {
    /// [`round`] on the current thread.
    pub(crate) fn round_range<E: Element>(input: &[f32], out: &mut [E]) {
        for (out, value) in out.iter_mut().zip(input) {
            *out = E::from_f32(*value);
        }
    }
}

/// `out += factor · input`
pub fn add_scaled(input: &[f32], factor: f32, out: &mut [f32]) {
    assert_eq!(input.len(), out.len(), "lengths of a sum");
    parallel::for_each_chunk(out, CHUNK, |first, out| {
        add_scaled_range(&input[first..][..out.len()], factor, out);
    });
}

vectorised! {
    fn add_scaled_range(input: &[f32], factor: f32, out: &mut [f32]) {
        for (out, value) in out.iter_mut().zip(input) {
            *out += factor * value;
        }
    }
}

/// `out = left − right`
pub fn subtract<E: Element>(left: &[E], right: &[E], out: &mut [E]) {
    assert!(left.len() == out.len() && right.len() == out.len(), "lengths of a difference");
    parallel::for_each_chunk(out, CHUNK, |first, out| {
        subtract_range(&left[first..][..out.len()], &right[first..][..out.len()], out);
    });
}

vectorised! {
    fn subtract_range<E: Element>(left: &[E], right: &[E], out: &mut [E]) {
        for ((out, left), right) in out.iter_mut().zip(left).zip(right) {
            *out = E::from_f32(left.to_f32() - right.to_f32());
        }
    }
}

/// Copies the rows `indices` of `input` to `out`.
///
/// # Shapes
/// `input`: `[rows, width]`; `out`: `[indices, width]`.
pub fn gather<T: Copy>(input: &[T], width: usize, indices: &[u32], out: &mut [T]) {
    for (&index, out) in indices.iter().zip(out.chunks_exact_mut(width)) {
        out.copy_from_slice(&input[index as usize * width..][..width]);
    }
}

/// Sets `out` to zero but for the rows `indices`, which become those of `input`; the inverse of [`gather`].
///
/// # Shapes
/// `input`: `[indices, width]`; `out`: `[rows, width]`.
pub fn scatter<T: Copy + Default>(input: &[T], width: usize, indices: &[u32], out: &mut [T]) {
    out.fill(T::default());
    for (&index, input) in indices.iter().zip(input.chunks_exact(width)) {
        out[index as usize * width..][..width].copy_from_slice(input);
    }
}

/// Adds the rows of `input` to the rows `indices` of `out`.
///
/// # Shapes
/// `input`: `[indices, width]`; `out`: `[rows, width]`.
pub fn add(input: &[f32], width: usize, indices: &[u32], out: &mut [f32]) {
    for (&index, input) in indices.iter().zip(input.chunks_exact(width)) {
        for (out, value) in out[index as usize * width..][..width].iter_mut().zip(input) {
            *out += value;
        }
    }
}

/// Transposes a matrix.
///
/// # Shapes
/// `input`: `[rows, columns]`; `out`: `[columns, rows]`.
pub fn transpose<T: Copy + Send + Sync>(input: &[T], rows: usize, columns: usize, out: &mut [T]) {
    const BLOCK: usize = 16;
    assert!(input.len() == rows * columns && out.len() == input.len(), "shapes of a transposition");
    if rows == 0 {
        return;
    }
    parallel::for_each_chunk(out, BLOCK * rows, |first, out| {
        let first_column = first / rows;
        for first_row in (0..rows).step_by(BLOCK) {
            for column in 0..out.len() / rows {
                for row in first_row..rows.min(first_row + BLOCK) {
                    out[column * rows + row] = input[row * columns + first_column + column];
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scatter_undoes_gather_and_transposition_itself() {
        let input: Vec<f32> = (0..35).map(|value| value as f32).collect();
        let mut picked = [0.0; 10];
        gather(&input, 5, &[6, 2], &mut picked);
        assert_eq!(picked[..5], input[30..]);
        let mut back = vec![1.0; 35];
        scatter(&picked, 5, &[6, 2], &mut back);
        assert_eq!(back[10..15], input[10..15]);
        assert!(back[..10].iter().all(|&value| value == 0.0));
        let (mut transposed, mut again) = (vec![0.0; 35], vec![0.0; 35]);
        transpose(&input, 7, 5, &mut transposed);
        assert_eq!(transposed[1], 5.0);
        transpose(&transposed, 5, 7, &mut again);
        assert_eq!(again, input);
        // More than a block in both directions, and none of them whole.
        let input: Vec<u32> = (0..37 * 50).collect();
        let mut transposed = vec![0; input.len()];
        transpose(&input, 37, 50, &mut transposed);
        assert!(
            (0..50)
                .all(|column| (0..37).all(|row| transposed[column * 37 + row] == input[row * 50 + column]))
        );
    }
}

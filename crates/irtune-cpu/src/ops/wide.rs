//! Columns of a wide matrix copied to a matrix of their own, and back.

use irtune_device::Columns;

use crate::threads::parallel;

/// Copies columns of `wide` to `out`.
///
/// # Shapes
/// `wide`: `[rows, of]`; `out`: `[rows, count]`.
pub fn split<T: Copy + Send + Sync>(wide: &[T], Columns { of, first, count }: Columns, out: &mut [T]) {
    assert!(first + count <= of && wide.len() / of * count == out.len(), "columns of a matrix");
    parallel::for_each_chunk(out, parallel::rows_per_task(count) * count, |start, out| {
        let rows = wide[start / count * of..].chunks_exact(of);
        rows.zip(out.chunks_exact_mut(count))
            .for_each(|(row, out)| out.copy_from_slice(&row[first..][..count]));
    });
}

/// Copies `part` to columns of `wide`.
///
/// # Shapes
/// `part`: `[rows, count]`; `wide`: `[rows, of]`.
pub fn join<T: Copy + Send + Sync>(part: &[T], Columns { of, first, count }: Columns, wide: &mut [T]) {
    assert!(first + count <= of && wide.len() / of * count == part.len(), "columns of a matrix");
    parallel::for_each_chunk(wide, parallel::rows_per_task(of) * of, |start, wide| {
        let rows = part[start / of * count..].chunks_exact(count);
        rows.zip(wide.chunks_exact_mut(of))
            .for_each(|(row, wide)| wide[first..][..count].copy_from_slice(row));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_columns_are_split_again() {
        let (rows, of) = (700, 96);
        let wide: Vec<u32> = (0..rows * of).collect();
        let mut whole = vec![0; wide.len()];
        for (first, count) in [(0, 32), (32, 48), (80, 16)] {
            let columns = Columns { of: of as usize, first, count };
            let mut part = vec![0; rows as usize * count];
            split(&wide, columns, &mut part);
            assert_eq!(part[count], of + first as u32);
            join(&part, columns, &mut whole);
        }
        assert_eq!(whole, wide);
    }
}

//! Views of row-major matrices.

/// A row-major matrix whose rows may be a window of wider ones.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, E> {
    /// First value of row 0 onwards.
    pub data: &'a [E],
    /// Number of rows.
    pub rows: usize,
    /// Values in a row.
    pub columns: usize,
    /// Distance between the starts of two rows, at least `columns`.
    pub stride: usize,
}

impl<'a, E> Matrix<'a, E> {
    /// The whole of `data` as `[rows, columns]`; longer data is cut.
    pub fn new(data: &'a [E], rows: usize, columns: usize) -> Self {
        Self { data: &data[..rows * columns], rows, columns, stride: columns }
    }

    /// Row `index`.
    pub fn row(&self, index: usize) -> &'a [E] {
        &self.data[index * self.stride..][..self.columns]
    }

    /// Fails unless the data hold all rows.
    pub(crate) fn check(&self) {
        assert!(
            self.columns <= self.stride || self.rows <= 1,
            "stride {} below {}",
            self.stride,
            self.columns
        );
        let Self { rows, columns, stride, .. } = *self;
        // Kernels read by raw pointers within what is checked here, so a length that overflows must not pass.
        let needed =
            rows.checked_sub(1).map_or(Some(0), |rows| rows.checked_mul(stride)?.checked_add(columns));
        assert!(
            needed.is_some_and(|needed| self.data.len() >= needed),
            "{} values for a matrix of {rows} rows and {columns} columns, {stride} apart",
            self.data.len()
        );
    }
}

/// A writable [`Matrix`].
#[derive(Debug)]
pub struct MatrixMut<'a, E> {
    /// First value of row 0 onwards.
    pub data: &'a mut [E],
    /// Number of rows.
    pub rows: usize,
    /// Values in a row.
    pub columns: usize,
    /// Distance between the starts of two rows, at least `columns`.
    pub stride: usize,
}

impl<'a, E> MatrixMut<'a, E> {
    /// The whole of `data` as `[rows, columns]`; longer data is cut.
    pub fn new(data: &'a mut [E], rows: usize, columns: usize) -> Self {
        Self { data: &mut data[..rows * columns], rows, columns, stride: columns }
    }

    pub(crate) fn check(&self) {
        Matrix { data: &*self.data, rows: self.rows, columns: self.columns, stride: self.stride }.check();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_end_before_the_last_row_are_refused() {
        let check = |rows, columns, stride| {
            let matrix = Matrix { data: &[0.0f32; 10], rows, columns, stride };
            std::panic::catch_unwind(|| matrix.check()).is_ok()
        };
        assert!(check(2, 4, 6) && check(0, 4, 4) && check(1, 10, 3));
        assert!(!check(3, 4, 4) && !check(2, 4, 7) && !check(2, 4, 3));
        assert!(!check(3, 4, usize::MAX / 2 + 1) && !check(usize::MAX, 1, 1));
    }
}

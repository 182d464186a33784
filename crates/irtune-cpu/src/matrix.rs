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

    pub(crate) fn check(&self) {
        assert!(
            self.columns <= self.stride || self.rows <= 1,
            "stride {} below {}",
            self.stride,
            self.columns
        );
        let needed = if self.rows == 0 { 0 } else { (self.rows - 1) * self.stride + self.columns };
        assert!(self.data.len() >= needed, "matrix of {} values needs {needed}", self.data.len());
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

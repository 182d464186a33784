//! A matrix of a model file, as a device receives it.

use std::{ops::Range, sync::Arc};

use super::{Format, Scales, WeightView};
use crate::MappedFile;

/// A matrix of a base: where the mapped file holds it, and how it is stored.
///
/// It owns a share of the mapping, so it may live as long as it likes.
#[derive(Clone, Debug)]
pub struct FrozenMatrix {
    file: Arc<MappedFile>,
    bytes: Range<usize>,
    format: Format,
    rows: usize,
    columns: usize,
    interleaved_head: Option<usize>,
    scales: Option<Arc<Scales>>,
}

impl FrozenMatrix {
    /// The matrix `[rows, columns]` in these bytes of a file; `interleaved_head` as in [`WeightView`].
    ///
    /// # Panics
    /// When the bytes lie outside the file, or are not as many as the shape needs.
    pub fn new(
        file: Arc<MappedFile>,
        bytes: Range<usize>,
        format: Format,
        (rows, columns): (usize, usize),
        interleaved_head: Option<usize>,
    ) -> Self {
        assert_eq!(format.row_bytes(columns).map(|row| row * rows), Some(bytes.len()), "bytes of a matrix");
        assert!(bytes.end <= file.len(), "a matrix inside its file");
        Self { file, bytes, format, rows, columns, interleaved_head, scales: None }
    }

    /// The same with the scales that its format has elsewhere.
    pub fn with_scales(self, scales: Option<Arc<Scales>>) -> Self {
        Self { scales, ..self }
    }

    /// Its outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Its inputs.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Its bytes with their meaning.
    pub fn view(&self) -> WeightView<'_> {
        let Self { format, rows, columns, interleaved_head, .. } = *self;
        let (bytes, scales) = (&self.file[self.bytes.clone()], self.scales.as_deref());
        WeightView { format, rows, columns, bytes, interleaved_head, scales }
    }
}

//! Buffers of a device.

use crate::{BatchLayout, DeviceError, FrozenMatrix, RotaryTable};

/// Where a result goes.
pub struct Slot<'a, D: Memory + ?Sized> {
    /// The results.
    pub scalars: &'a mut D::Scalars,
    /// Which of them.
    pub at: usize,
}

/// Buffers of a device: how they are made, filled and read.
///
/// A buffer's default is empty.
pub trait Memory: Send + Sync {
    /// Activations that enter matrix products.
    type Operands: Send + Sync + Default;
    /// f32 values: residual stream, parameters, gradients, moments.
    type Floats: Send + Sync + Default;
    /// Dropout masks, 32 bits a word.
    type Words: Send + Sync + Default;
    /// A frozen matrix of the base.
    type Weight: Send + Sync;
    /// Results in f64 that stay on the device until they are read: losses, sums of squares.
    type Scalars: Send + Sync + Default;
    /// A batch's layout.
    type Layout: Send + Sync;
    /// Angles of the rotary position embedding.
    type Rotary: Send + Sync;
    /// A frozen matrix and what its adapter adds, in the form that GEMMs read fastest; for inference.
    type Prepacked: Send + Sync;

    /// Name of the operands' precision.
    fn precision(&self) -> &'static str;

    /// Bytes of one operand.
    fn operand_bytes(&self) -> usize;

    /// Threads of the host that work.
    fn threads(&self) -> usize;

    /// Runs `work` where the device's operations run best, such as on the device's own thread pool. Operations called
    /// elsewhere work too.
    fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T;

    /// A training pass has ended: what working memory it needed is evened out, so that the next one of its size
    /// allocates nothing.
    fn end_pass(&self);

    /// Takes a frozen matrix of the base.
    ///
    /// # Errors
    /// When the device can't hold it.
    fn weight(&self, matrix: FrozenMatrix) -> Result<Self::Weight, DeviceError>;

    /// Zeroed operands, `[rows, columns]`.
    ///
    /// # Errors
    /// [`DeviceError::Memory`] when there is no room for them.
    fn operands(&self, rows: usize, columns: usize) -> Result<Self::Operands, DeviceError>;
    /// Zeroed f32 values, `[rows, columns]`.
    ///
    /// # Errors
    /// As [`Memory::operands`].
    fn floats(&self, rows: usize, columns: usize) -> Result<Self::Floats, DeviceError>;
    /// Zeroed mask words, `[rows, columns]`.
    ///
    /// # Errors
    /// As [`Memory::operands`].
    fn words(&self, rows: usize, columns: usize) -> Result<Self::Words, DeviceError>;
    /// Zeroed results.
    ///
    /// # Errors
    /// As [`Memory::operands`].
    fn scalars(&self, length: usize) -> Result<Self::Scalars, DeviceError>;
    /// Sets a result to zero.
    fn zero(&self, slot: Slot<Self>);
    /// Reads the first results, as many as `to` is long. Everything that was asked for before is then done: a training
    /// step reads once.
    fn read(&self, from: &Self::Scalars, to: &mut [f64]);
    /// Memory for layouts, empty at first.
    fn layout(&self) -> Self::Layout;
    /// Replaces a layout by that of another batch; done once a pass.
    fn upload_layout(&self, from: &BatchLayout, to: &mut Self::Layout);
    /// Takes a table of rotary angles.
    fn rotary_table(&self, table: RotaryTable) -> Self::Rotary;
    /// Copies from the host to `offset`.
    fn upload(&self, from: &[f32], to: &mut Self::Floats, offset: usize);
    /// These values in a buffer of their own.
    ///
    /// # Errors
    /// As [`Memory::operands`].
    fn filled(&self, values: &[f32]) -> Result<Self::Floats, DeviceError> {
        let mut floats = self.floats(values.len(), 1)?;
        self.upload(values, &mut floats, 0);
        Ok(floats)
    }
    /// Copies to the host from `offset`.
    fn download(&self, from: &Self::Floats, offset: usize, to: &mut [f32]);
    /// Copies the first `length` values of a buffer to `offset` of another.
    fn copy(&self, from: &Self::Floats, to: &mut Self::Floats, offset: usize, length: usize);
    /// Decodes a frozen matrix, in transformers' order of rows, to `offset`.
    fn decode(&self, weight: &Self::Weight, to: &mut Self::Floats, offset: usize);
    /// Sets `length` values from `offset` on to zero.
    fn clear(&self, values: &mut Self::Floats, offset: usize, length: usize);
}

//! Tensors of goldens.

use safetensors::{Dtype, tensor::TensorView};

/// One tensor of a golden.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The type of its values.
    pub dtype: Dtype,
    /// Its axes, slowest first.
    pub shape: Vec<usize>,
    /// Its values, little-endian.
    pub bytes: Vec<u8>,
}

impl Stored {
    pub(super) fn of(view: &TensorView<'_>) -> Self {
        Self { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() }
    }

    /// An f32 tensor.
    pub fn floats(shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dtype: Dtype::F32, shape: shape.to_vec(), bytes }
    }
}

//! What every device must compute: checks over any implementation of the contract, against given numbers.
//!
//! A device's tests hand over the device and, section by section, numbers that a reference made ([`Section`]). Each
//! check runs the operations through the contract alone: numbers go up as f32, are rounded to operands there, and come
//! back the same way.

mod adapters;
mod decoder;
mod gemm;
mod losses;

pub use adapters::masks;
pub use decoder::{attention, gated, prefix_tree, rms_norm, rms_norm_operands, rotary};
pub use gemm::{bias, decode, lora_linear};
pub use losses::{adamw, binary_cross_entropy, cross_entropy, pool};

use crate::{Device, Output};

/// The numbers of one check, by their names in it.
pub trait Section {
    /// A tensor's values.
    fn floats(&self, name: &str) -> Vec<f32>;
    /// A tensor of whole numbers.
    fn integers(&self, name: &str) -> Vec<u32>;
    /// The first axis of a tensor.
    fn rows(&self, name: &str) -> usize;
    /// A single number.
    fn fact(&self, name: &str) -> f64;
    /// Holds what was found against the tensor of this name.
    fn compare(&self, name: &str, found: &[f32]);
}

/// These values as f32 on the device.
fn floats<D: Device>(device: &D, values: &[f32]) -> D::Floats {
    device.filled(values).expect("room")
}

/// These values as operands on the device.
fn operands<D: Device>(device: &D, values: &[f32]) -> D::Operands {
    let mut out = device.operands(values.len(), 1).expect("room");
    device.round(&floats(device, values), 0, values.len(), &mut out);
    out
}

/// So many f32 values of the device.
fn values<D: Device>(device: &D, from: &D::Floats, length: usize) -> Vec<f32> {
    let mut out = vec![0.0; length];
    device.download(from, 0, &mut out);
    out
}

/// So many operands of the device, exactly.
fn operand_values<D: Device>(device: &D, from: &D::Operands, length: usize) -> Vec<f32> {
    let mut out = device.floats(length, 1).expect("room");
    device.scale_columns(from, None, None, 1, length, Output::Add(&mut out, 0));
    values(device, &out, length)
}

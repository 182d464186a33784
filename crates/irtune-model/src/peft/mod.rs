//! An adapter on disk, in HF PEFT's format: `adapter_config.json`, `adapter_model.safetensors`, and beside them the
//! classifier's `config.json`, which PEFT doesn't write but whose labels a classifier can't do without.
//!
//! # Source
//! PEFT `tuners/lora/config.py`, `utils/save_and_load.py`.

mod error;
mod read;
mod settings;
mod write;

pub use error::AdapterError;
pub(crate) use read::labels as read_labels;
pub use read::{AdapterFolder, read_adapter};
pub use write::write_adapter;

use crate::{adapters::lora::LoraConfig, config::ModelConfig};

/// The classifier's head, `[labels, hidden_size]`, as PEFT names it.
pub const HEAD_NAME: &str = "base_model.model.score.weight";

const CONFIG_FILE: &str = "adapter_config.json";
const TENSOR_FILE: &str = "adapter_model.safetensors";
pub(crate) const CLASSIFIER_FILE: &str = "config.json";

/// Every tensor of a trained classifier with its shape, in the order that files and engines keep them: layer by layer,
/// each projection in `target_modules`' order, A before B; the head last.
pub fn expected_tensors(lora: &LoraConfig, base: &ModelConfig, labels: usize) -> Vec<(String, Vec<usize>)> {
    let mut expected = Vec::with_capacity(base.layers * lora.target_modules.len() * 2 + 1);
    for layer in 0..base.layers {
        for &projection in &lora.target_modules {
            let (outputs, inputs) = base.projection_shape(projection);
            expected.push((projection.lora_a_name(layer), vec![lora.rank, inputs]));
            expected.push((projection.lora_b_name(layer), vec![outputs, lora.rank]));
        }
    }
    expected.push((HEAD_NAME.to_owned(), vec![labels, base.hidden_size]));
    expected
}

#[cfg(test)]
mod tests;

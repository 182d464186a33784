//! An adapter on disk, in HF PEFT's format: `adapter_config.json`, `adapter_model.safetensors`, and beside them the
//! classifier's configuration as `classifier.json`, which PEFT doesn't write but whose labels a classifier can't do without.
//! It is not called `config.json`, since transformers takes a folder with that for a whole model and looks for its weights;
//! folders of earlier versions have it under that name. A head that was trained without adapters has a form of its own,
//! `head.safetensors` beside `classifier.json`.
//!
//! PEFT knows no head that reads what changed. The adapter is then a language model's, which PEFT loads over the base
//! without a head, and `edit_head.safetensors` holds the head as `score.weight`. Over a base that transformers has no class
//! of a classifier for, `head.safetensors` stands beside such an adapter.
//!
//! PEFT has no bottleneck adapters. Their folder has the same parts, but the settings name a kind that PEFT refuses
//! (`IRTUNE_BOTTLENECK`), and the tensors are in `bottleneck_model.safetensors`.
//!
//! # Source
//! PEFT `tuners/{lora,ia3}/config.py`, `utils/save_and_load.py`.

mod error;
mod head;
mod read;
mod settings;
mod write;

pub use error::AdapterError;
pub use head::{HeadFolder, read_head, write_head};
pub(crate) use read::labels as read_labels;
pub use read::read_head_input;
pub use read::{AdapterFolder, read_adapter};
pub(crate) use write::pretty;
pub use write::write_adapter;

use std::path::{Path, PathBuf};

use crate::{adapters::config::AdapterConfig, config::ModelConfig, head::Head};

/// The classifier's head, `[labels, hidden_size]`, as PEFT names it; also an engine's edit head, which PEFT has no name for.
pub const HEAD_NAME: &str = "base_model.model.score.weight";

const CONFIG_FILE: &str = "adapter_config.json";
const TENSOR_FILE: &str = "adapter_model.safetensors";
const HEAD_FILE: &str = "head.safetensors";
/// The file of a head that reads what changed.
pub const EDIT_HEAD_FILE: &str = "edit_head.safetensors";
/// The tensors of an adapter that PEFT has no kind for.
const BOTTLENECK_FILE: &str = "bottleneck_model.safetensors";
/// What `peft_type` says of it.
const BOTTLENECK_TYPE: &str = "IRTUNE_BOTTLENECK";
pub(crate) const CLASSIFIER_FILE: &str = "classifier.json";
/// What earlier versions called it.
pub(crate) const EARLIER_CLASSIFIER_FILE: &str = "config.json";

/// The classifier's configuration in a folder; that of an earlier version, if it is there alone.
pub fn classifier_path(folder: &Path) -> PathBuf {
    let path = folder.join(CLASSIFIER_FILE);
    let earlier = folder.join(EARLIER_CLASSIFIER_FILE);
    if !path.exists() && earlier.exists() { earlier } else { path }
}

/// Every tensor of a trained classifier with its shape, in the order that files and engines keep them: layer by layer,
/// each projection in `target_modules`' order, as [`AdapterConfig::tensors`] has them; the head last. Without labels there
/// is no head: the adapter is a language model's.
pub fn expected_tensors(
    adapter: &AdapterConfig,
    base: &ModelConfig,
    head: impl Into<Head>,
) -> Vec<(String, Vec<usize>)> {
    let head = head.into();
    let mut expected = Vec::with_capacity(base.layers * adapter.target_modules().len() * 3 + 1);
    for layer in 0..base.layers {
        for &projection in adapter.target_modules() {
            let tensors = adapter.tensors(base, layer, projection).into_iter();
            expected.extend(
                tensors.map(|(part, shape)| (base.family.adapter_name(layer, projection, part), shape)),
            );
        }
    }
    if head.labels > 0 {
        expected.push((HEAD_NAME.to_owned(), head.shape(base.hidden_size)));
    }
    expected
}

/// The file that an adapter's tensors are in.
fn tensor_file(adapter: &AdapterConfig) -> &'static str {
    if matches!(adapter, AdapterConfig::Bottleneck(_)) { BOTTLENECK_FILE } else { TENSOR_FILE }
}

#[cfg(test)]
mod tests;

//! Mistral and Nemo: Llama's layer with a window over the keys of every layer in the first 7B, and heads of a size of their
//! own in Nemo.
//!
//! # Source
//! Jiang et al. 2023; transformers `models/mistral`; llama.cpp `conversion/llama.py`.

use super::{Defaults, Family, ReadBiases, Window, WindowedLayers, llama::LLAMA};

pub(super) static FAMILY: Family = Family {
    title: "Mistral",
    models: "Mistral 7B, Nemo, Mistral Small",
    model_type: "mistral",
    class_stem: "Mistral",
    // A GGUF without a window is as good as a Llama's.
    architecture: Some("llama"),
    defaults: Defaults { key_value_heads: Some(8), max_positions: 131_072, ..Defaults::LLAMA },
    reads_biases: ReadBiases::NONE,
    window: Some(Window { flag: None, keys: Some(4096), layer_types: false, layers: WindowedLayers::All }),
    ..LLAMA
};

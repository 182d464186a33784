//! Ministral: Mistral's layer with a window over the keys in the layers that the configuration names.
//!
//! # Source
//! Mistral AI 2024; transformers `models/ministral`.

use super::{Defaults, Family, ReadBiases, Window, WindowedLayers, llama::LLAMA};

pub(super) static FAMILY: Family = Family {
    title: "Ministral",
    models: "Ministral 8B of 2024",
    model_type: "ministral",
    class_stem: "Ministral",
    // GGUFs name it as a Llama, and don't say which layers have the window.
    architecture: None,
    defaults: Defaults { key_value_heads: Some(8), max_positions: 131_072, ..Defaults::LLAMA },
    reads_biases: ReadBiases::NONE,
    window: Some(Window { flag: None, keys: Some(4096), layer_types: true, layers: WindowedLayers::All }),
    ..LLAMA
};

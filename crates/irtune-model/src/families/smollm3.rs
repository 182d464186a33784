//! SmolLM3: Llama's layer, in every fourth layer without rotary positions, where there may be a window over the keys.
//!
//! # Source
//! Hugging Face 2025, "SmolLM3"; transformers `models/smollm3`; llama.cpp `conversion/llama.py`. NoPE: Yang et al. 2025, "RNoPE-SWA".

use super::{Defaults, Family, ReadBiases, UnturnedLayers, Window, WindowedLayers, llama::LLAMA};

pub(super) static FAMILY: Family = Family {
    title: "SmolLM3",
    models: "SmolLM3 3B",
    model_type: "smollm3",
    class_stem: "SmolLM3",
    architecture: Some("smollm3"),
    defaults: Defaults {
        key_value_heads: Some(4),
        max_positions: 32_768,
        tied_embeddings: true,
        theta: 2e6,
        ..Defaults::LLAMA
    },
    reads_biases: ReadBiases::BOTH,
    window: Some(Window {
        flag: Some("use_sliding_window"),
        keys: None,
        layer_types: true,
        layers: WindowedLayers::Unturned,
    }),
    unturned: Some(UnturnedLayers { field: "no_rope_layers", interval: "no_rope_layer_interval", every: 4 }),
    ..LLAMA
};

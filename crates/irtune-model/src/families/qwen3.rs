//! Qwen3: Llama's layer with a norm on each head of q and k before rotary positions, and heads of a size of their own.
//!
//! # Source
//! Yang et al. 2025; transformers `models/qwen3`; llama.cpp `conversion/qwen.py`.

use super::{
    Defaults, Family, HeadNorms, LayerSpec, ReadBiases, Window, WindowedLayers,
    llama::LLAMA,
    shared_modules::{ENDS, HEAD_NORMS, NORMS_BEFORE, PROJECTIONS},
};

pub(super) static FAMILY: Family = Family {
    title: "Qwen3",
    models: "Qwen3 0.6B to 32B",
    model_type: "qwen3",
    class_stem: "Qwen3",
    architecture: Some("qwen3"),
    defaults: Defaults {
        head_size: Some(128),
        key_value_heads: Some(32),
        max_positions: 32_768,
        ..Defaults::LLAMA
    },
    reads_biases: ReadBiases::ATTENTION,
    window: Some(Window {
        flag: Some("use_sliding_window"),
        keys: Some(4096),
        layer_types: true,
        layers: WindowedLayers::From(28),
    }),
    layer: |variant, layer| LayerSpec { head_norms: Some(HeadNorms::EachHead), ..variant.layer(layer) },
    modules: &[&ENDS, &NORMS_BEFORE, &HEAD_NORMS, &PROJECTIONS],
    ..LLAMA
};

//! Qwen2 and Qwen2.5: Llama's layer with biases on q, k and v, which no field of the configuration mentions.
//!
//! # Source
//! Yang et al. 2024; transformers `models/qwen2`; llama.cpp `conversion/qwen.py`.

use super::{
    Defaults, Family, LayerSpec,
    Projection::{KProj, QProj, VProj},
    ReadBiases, Window, WindowedLayers,
    llama::LLAMA,
    shared_modules::{ENDS, NORMS_BEFORE, PROJECTIONS},
};

pub(super) static FAMILY: Family = Family {
    title: "Qwen2",
    models: "Qwen2, Qwen2.5, DeepSeek-R1-Distill-Qwen",
    model_type: "qwen2",
    class_stem: "Qwen2",
    architecture: Some("qwen2"),
    defaults: Defaults { key_value_heads: Some(32), max_positions: 32_768, ..Defaults::LLAMA },
    reads_biases: ReadBiases::NONE,
    window: Some(Window {
        flag: Some("use_sliding_window"),
        keys: Some(4096),
        layer_types: true,
        layers: WindowedLayers::From(28),
    }),
    layer: |variant, layer| LayerSpec { biases: &[QProj, KProj, VProj], ..variant.layer(layer) },
    modules: &[&ENDS, &NORMS_BEFORE, &PROJECTIONS],
    ..LLAMA
};

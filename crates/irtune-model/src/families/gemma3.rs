//! Gemma 3: Gemma 2's layer without caps, with a norm on each head of q and k before rotary positions, windows in five of six
//! layers, and rotary positions of their own there. Models with images hold it as their text part.
//!
//! # Source
//! Gemma Team 2025, "Gemma 3"; transformers `models/gemma3`; llama.cpp `conversion/gemma.py`.

use irtune_device::Gate;

use super::{
    Defaults, Family, Fixed, HeadNorms, LayerSpec, Literal, LocalRotary, NormPlacement, Number, Quantity,
    ReadBiases, Window, WindowedLayers,
    llama::LLAMA,
    settings::GELU_TANH,
    shared_modules::{ENDS, HEAD_NORMS, NORMS_AROUND, PROJECTIONS, plus_one},
};

pub(super) static TEXT: Family = GEMMA3;

/// Gemma 3 with images: a configuration and names around those of the text part.
pub(super) static COMPOSITE: Family = Family {
    title: "Gemma 3 with images",
    models: "Gemma 3 4B, 12B and 27B",
    model_type: "gemma3",
    class_stem: "Gemma3",
    // A GGUF holds the text part alone.
    architecture: None,
    text: Some(&TEXT),
    ..GEMMA3
};

const GEMMA3: Family = Family {
    title: "Gemma 3",
    models: "Gemma 3 270M and 1B",
    model_type: "gemma3_text",
    class_stem: "Gemma3Text",
    architecture: Some("gemma3"),
    defaults: Defaults {
        head_size: Some(256),
        key_value_heads: Some(4),
        max_positions: 131_072,
        tied_embeddings: true,
        theta: 1e6,
        ..Defaults::LLAMA
    },
    fixed: &[
        Fixed::or("hidden_activation", Literal::Text("gelu_pytorch_tanh"), GELU_TANH),
        Fixed::new("use_bidirectional_attention", Literal::Flag(false)),
    ],
    reads_biases: ReadBiases::ATTENTION,
    window: Some(Window {
        flag: None,
        keys: Some(4096),
        layer_types: true,
        layers: WindowedLayers::AllButEvery { field: Some("sliding_window_pattern"), every: 6 },
    }),
    local_rotary: Some(LocalRotary { field: Some("rope_local_base_freq"), theta: Some(10_000.0) }),
    scales_embedding: true,
    numbers: &[
        // A GGUF doesn't hold it; with 62 layers, the 27B, it is the width of a head of the residual stream.
        Number::new("query_pre_attn_scalar", Quantity::ScoreWidth { whole_at_layers: 62 }).or(256.0),
        Number::new("attn_logit_softcapping", Quantity::ScoreCap),
        Number::new("final_logit_softcapping", Quantity::LogitCap).in_gguf("final_logit_softcapping"),
    ],
    layer: |variant, layer| LayerSpec {
        norms: NormPlacement::Around,
        head_norms: Some(HeadNorms::EachHead),
        gate: Gate::GeluTanh,
        ..variant.layer(layer)
    },
    modules: &[&plus_one(ENDS), &plus_one(NORMS_AROUND), &plus_one(HEAD_NORMS), &PROJECTIONS],
    ..LLAMA
};

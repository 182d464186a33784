//! Gemma 2: Gemma's layer with norms on both ends of its branches, windows over the keys of every second layer, and caps on
//! scores and on the language-model head's logits.
//!
//! # Source
//! Gemma Team 2024, "Gemma 2"; transformers `models/gemma2`; llama.cpp `conversion/gemma.py`.

use irtune_device::Gate;

use super::{
    Defaults, Family, Fixed, LayerSpec, Literal, NormPlacement, Number, Quantity, ReadBiases, Window,
    WindowedLayers,
    llama::LLAMA,
    settings::GELU_TANH,
    shared_modules::{ENDS, NORMS_AROUND, PROJECTIONS, plus_one},
};

pub(super) static FAMILY: Family = Family {
    title: "Gemma 2",
    models: "Gemma 2 2B, 9B and 27B",
    model_type: "gemma2",
    class_stem: "Gemma2",
    architecture: Some("gemma2"),
    defaults: Defaults {
        head_size: Some(256),
        key_value_heads: Some(4),
        max_positions: 8192,
        tied_embeddings: true,
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
        layers: WindowedLayers::AllButEvery { field: None, every: 2 },
    }),
    scales_embedding: true,
    numbers: &[
        // A GGUF doesn't hold it; with 46 layers, the 27B, it is the width of a head of the residual stream.
        Number::new("query_pre_attn_scalar", Quantity::ScoreWidth { whole_at_layers: 46 }).or(256.0),
        Number::new("attn_logit_softcapping", Quantity::ScoreCap).in_gguf("attn_logit_softcapping").or(50.0),
        Number::new("final_logit_softcapping", Quantity::LogitCap)
            .in_gguf("final_logit_softcapping")
            .or(30.0),
    ],
    layer: |variant, layer| LayerSpec {
        norms: NormPlacement::Around,
        gate: Gate::GeluTanh,
        ..variant.layer(layer)
    },
    modules: &[&plus_one(ENDS), &plus_one(NORMS_AROUND), &PROJECTIONS],
    ..LLAMA
};

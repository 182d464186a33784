//! Gemma: Llama's layer with norms of `1 + gain`, embeddings times `√hidden_size` and a GELU gate.
//!
//! # Source
//! Gemma Team 2024; transformers `models/gemma`; llama.cpp `conversion/gemma.py`.

use irtune_device::Gate;

use super::{
    Defaults, Family, Fixed, LayerSpec, Literal, ReadBiases,
    llama::LLAMA,
    shared_modules::{ENDS, NORMS_BEFORE, PROJECTIONS, plus_one},
};

/// The first files say `gelu`, and mean its approximation.
const GELU: &[&str] = &["gelu", "gelu_new", "gelu_python_tanh", "gelu_accurate", "gelu_fast"];

pub(super) static FAMILY: Family = Family {
    title: "Gemma",
    models: "Gemma 2B and 7B",
    model_type: "gemma",
    class_stem: "Gemma",
    architecture: Some("gemma"),
    defaults: Defaults {
        head_size: Some(256),
        key_value_heads: Some(16),
        max_positions: 8192,
        tied_embeddings: true,
        ..Defaults::LLAMA
    },
    fixed: &[
        Fixed::or("hidden_act", Literal::Text("gelu_pytorch_tanh"), GELU),
        Fixed::new("use_bidirectional_attention", Literal::Flag(false)),
    ],
    reads_biases: ReadBiases::ATTENTION,
    scales_embedding: true,
    layer: |variant, layer| LayerSpec { gate: Gate::GeluTanh, ..variant.layer(layer) },
    modules: &[&plus_one(ENDS), &plus_one(NORMS_BEFORE), &PROJECTIONS],
    ..LLAMA
};

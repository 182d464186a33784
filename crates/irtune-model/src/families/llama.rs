//! Llama: norms before attention and MLP, rotary positions, grouped-query attention, gated SiLU MLP, and biases where the
//! configuration asks for them.
//!
//! # Source
//! Touvron et al. 2023; transformers `models/llama`; llama.cpp `conversion/llama.py`.

use super::{
    Defaults, Family, FieldNames, Fixed, Literal, ReadBiases, Variant,
    settings::SILU,
    shared_modules::{ENDS, INTERLEAVED_PROJECTIONS, NORMS_BEFORE},
};

pub(super) static FAMILY: Family = LLAMA;

/// What other families share.
pub(super) const LLAMA: Family = Family {
    title: "Llama",
    models: "SmolLM2, Llama 2 and 3, TinyLlama",
    model_type: "llama",
    class_stem: "Llama",
    has_classifier: true,
    architecture: Some("llama"),
    fields: FieldNames::LLAMA,
    text: None,
    defaults: Defaults::LLAMA,
    fixed: &[Fixed::or("hidden_act", Literal::Text("silu"), SILU)],
    reads_biases: ReadBiases::BOTH,
    window: None,
    local_rotary: None,
    unturned: None,
    grows_queries: false,
    scales_embedding: false,
    numbers: &[],
    layer: Variant::layer,
    buffers: &[],
    modules: &[&ENDS, &NORMS_BEFORE, &INTERLEAVED_PROJECTIONS],
};

//! OLMo 2: Llama's layer with norms of the branches' outputs instead of their inputs, and norms of all queries and of all keys
//! before rotary positions.
//!
//! # Source
//! OLMo Team 2024, "2 OLMo 2 Furious"; transformers `models/olmo2`; llama.cpp `conversion/olmo.py`.

use super::{
    Defaults, Family, HeadNorms, LayerSpec, NormPlacement, ReadBiases,
    llama::LLAMA,
    shared_modules::{ENDS, HEAD_NORMS, NORMS_AFTER, PROJECTIONS},
};

pub(super) static FAMILY: Family = OLMO2;

/// What OLMo 3 shares.
pub(super) const OLMO2: Family = Family {
    title: "OLMo 2",
    models: "OLMo 2 1B to 32B",
    model_type: "olmo2",
    class_stem: "Olmo2",
    architecture: Some("olmo2"),
    defaults: Defaults { norm_epsilon: 1e-5, ..Defaults::LLAMA },
    reads_biases: ReadBiases::ATTENTION,
    layer: |variant, layer| LayerSpec {
        norms: NormPlacement::After,
        head_norms: Some(HeadNorms::Whole),
        ..variant.layer(layer)
    },
    modules: &[&ENDS, &NORMS_AFTER, &HEAD_NORMS, &PROJECTIONS],
    ..LLAMA
};

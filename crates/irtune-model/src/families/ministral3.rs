//! Ministral 3: Mistral's layer with YaRN, and queries that grow beyond the original context. Models with images hold it as
//! their text part.
//!
//! # Source
//! Mistral AI 2025; transformers `models/ministral3` and `models/mistral3`; llama.cpp `conversion/mistral3.py`.

use super::{Defaults, Family, ReadBiases, Window, WindowedLayers, llama::LLAMA};

pub(super) static TEXT: Family = MINISTRAL3;

/// Ministral 3 with images: a configuration and names around those of the text part.
pub(super) static COMPOSITE: Family = Family {
    title: "Ministral 3 with images",
    models: "Ministral 3 3B, 8B and 14B",
    model_type: "mistral3",
    class_stem: "Mistral3",
    has_classifier: false,
    architecture: None,
    text: Some(&TEXT),
    ..MINISTRAL3
};

const MINISTRAL3: Family = Family {
    title: "Ministral 3",
    models: "the text part of Ministral 3",
    model_type: "ministral3",
    class_stem: "Ministral3",
    architecture: Some("mistral3"),
    defaults: Defaults {
        head_size: Some(128),
        key_value_heads: Some(8),
        max_positions: 262_144,
        norm_epsilon: 1e-5,
        ..Defaults::LLAMA
    },
    reads_biases: ReadBiases::NONE,
    window: Some(Window { flag: None, keys: None, layer_types: false, layers: WindowedLayers::All }),
    grows_queries: true,
    ..LLAMA
};

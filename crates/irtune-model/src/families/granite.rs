//! Granite: Llama's layer with factors of embeddings, scores, branches and logits.
//!
//! transformers has no class of a classifier.
//!
//! # Source
//! IBM 2024, "Granite 3.0 Language Models"; transformers `models/granite`; llama.cpp `conversion/granite.py`.

use super::{Family, Number, Quantity, ReadBiases, llama::LLAMA};

pub(super) static FAMILY: Family = Family {
    title: "Granite",
    models: "Granite 3, and Granite 4 without experts as GGUF",
    model_type: "granite",
    class_stem: "Granite",
    has_classifier: false,
    architecture: Some("granite"),
    reads_biases: ReadBiases::BOTH,
    numbers: &[
        Number::new("embedding_multiplier", Quantity::EmbeddingScale).in_gguf("embedding_scale").or(1.0),
        Number::new("attention_multiplier", Quantity::ScoreScale).in_gguf("attention.scale").or(1.0),
        Number::new("residual_multiplier", Quantity::ResidualScale).in_gguf("residual_scale").or(1.0),
        Number::new("logits_scaling", Quantity::LogitDivisor).in_gguf("logit_scale").or(1.0),
    ],
    ..LLAMA
};

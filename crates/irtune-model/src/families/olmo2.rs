//! OLMo 2: Llama's layer with norms of the branches' outputs instead of their inputs, and norms of all queries and of all keys
//! before rotary positions.
//!
//! # Source
//! OLMo Team 2024, "2 OLMo 2 Furious"; transformers `models/olmo2`; llama.cpp `conversion/olmo.py`.

use super::{
    Defaults, Family, HeadNorms, LayerSpec, Module, NormPlacement,
    Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj},
    ReadBiases,
    Role::{AttentionOutputNorm, Embedding, FinalNorm, KeyNorm, LanguageHead, MlpOutputNorm, QueryNorm},
    llama::LLAMA,
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
    modules: &[
        Module::new(Embedding, "model.embed_tokens", "token_embd"),
        Module::new(FinalNorm, "model.norm", "output_norm"),
        Module::new(LanguageHead, "lm_head", "output"),
        Module::new(
            AttentionOutputNorm,
            "model.layers.{layer}.post_attention_layernorm",
            "blk.{layer}.post_attention_norm",
        ),
        Module::new(
            MlpOutputNorm,
            "model.layers.{layer}.post_feedforward_layernorm",
            "blk.{layer}.post_ffw_norm",
        ),
        Module::new(QueryNorm, "model.layers.{layer}.self_attn.q_norm", "blk.{layer}.attn_q_norm"),
        Module::new(KeyNorm, "model.layers.{layer}.self_attn.k_norm", "blk.{layer}.attn_k_norm"),
        Module::projection(QProj, "model.layers.{layer}.self_attn.q_proj", "blk.{layer}.attn_q"),
        Module::projection(KProj, "model.layers.{layer}.self_attn.k_proj", "blk.{layer}.attn_k"),
        Module::projection(VProj, "model.layers.{layer}.self_attn.v_proj", "blk.{layer}.attn_v"),
        Module::projection(OProj, "model.layers.{layer}.self_attn.o_proj", "blk.{layer}.attn_output"),
        Module::projection(GateProj, "model.layers.{layer}.mlp.gate_proj", "blk.{layer}.ffn_gate"),
        Module::projection(UpProj, "model.layers.{layer}.mlp.up_proj", "blk.{layer}.ffn_up"),
        Module::projection(DownProj, "model.layers.{layer}.mlp.down_proj", "blk.{layer}.ffn_down"),
    ],
    ..LLAMA
};

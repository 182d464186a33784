//! Qwen3: Llama's layer with a norm on each head of q and k before rotary positions, and heads of a size of their own.
//!
//! # Source
//! Yang et al. 2025; transformers `models/qwen3`; llama.cpp `conversion/qwen.py`.

use super::{
    Defaults, Family, HeadNorms, LayerSpec, Module,
    Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj},
    ReadBiases,
    Role::{AttentionNorm, Embedding, FinalNorm, KeyNorm, LanguageHead, MlpNorm, QueryNorm},
    Window, WindowedLayers,
    llama::LLAMA,
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
    modules: &[
        Module::new(Embedding, "model.embed_tokens", "token_embd"),
        Module::new(FinalNorm, "model.norm", "output_norm"),
        Module::new(LanguageHead, "lm_head", "output"),
        Module::new(AttentionNorm, "model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm"),
        Module::new(MlpNorm, "model.layers.{layer}.post_attention_layernorm", "blk.{layer}.ffn_norm"),
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

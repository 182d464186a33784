//! Gemma: Llama's layer with norms of `1 + gain`, embeddings times `√hidden_size` and a GELU gate.
//!
//! # Source
//! Gemma Team 2024; transformers `models/gemma`; llama.cpp `conversion/gemma.py`.

use irtune_device::Gate;

use super::{
    Defaults, Family, Fixed, LayerSpec, Literal, Module,
    Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj},
    ReadBiases,
    Role::{AttentionNorm, Embedding, FinalNorm, LanguageHead, MlpNorm},
    llama::LLAMA,
};

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
        // The first files say `gelu`, and mean its approximation.
        Fixed::or("hidden_act", Literal::Text("gelu_pytorch_tanh"), &["gelu"]),
        Fixed::new("use_bidirectional_attention", Literal::Flag(false)),
    ],
    reads_biases: ReadBiases::ATTENTION,
    scales_embedding: true,
    layer: |variant, layer| LayerSpec { gate: Gate::GeluTanh, ..variant.layer(layer) },
    modules: &[
        Module::new(Embedding, "model.embed_tokens", "token_embd"),
        Module::new(FinalNorm, "model.norm", "output_norm").plus_one(),
        Module::new(LanguageHead, "lm_head", "output"),
        Module::new(AttentionNorm, "model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm")
            .plus_one(),
        Module::new(MlpNorm, "model.layers.{layer}.post_attention_layernorm", "blk.{layer}.ffn_norm")
            .plus_one(),
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

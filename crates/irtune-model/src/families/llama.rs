//! Llama: norms before attention and MLP, rotary positions, grouped-query attention, gated SiLU MLP, and biases where the
//! configuration asks for them.
//!
//! # Source
//! Touvron et al. 2023; transformers `models/llama`; llama.cpp `conversion/llama.py`.

use super::{
    Defaults, Family, Fixed, Literal, Module,
    Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj},
    ReadBiases,
    Role::{AttentionNorm, Embedding, FinalNorm, LanguageHead, MlpNorm},
    Variant,
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
    text: None,
    defaults: Defaults::LLAMA,
    fixed: &[Fixed::new("hidden_act", Literal::Text("silu"))],
    reads_biases: ReadBiases::BOTH,
    window: None,
    local_rotary: None,
    unturned: None,
    grows_queries: false,
    scales_embedding: false,
    numbers: &[],
    layer: Variant::layer,
    modules: &[
        Module::new(Embedding, "model.embed_tokens", "token_embd"),
        Module::new(FinalNorm, "model.norm", "output_norm"),
        Module::new(LanguageHead, "lm_head", "output"),
        Module::new(AttentionNorm, "model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm"),
        Module::new(MlpNorm, "model.layers.{layer}.post_attention_layernorm", "blk.{layer}.ffn_norm"),
        Module::projection(QProj, "model.layers.{layer}.self_attn.q_proj", "blk.{layer}.attn_q")
            .interleaved(),
        Module::projection(KProj, "model.layers.{layer}.self_attn.k_proj", "blk.{layer}.attn_k")
            .interleaved(),
        Module::projection(VProj, "model.layers.{layer}.self_attn.v_proj", "blk.{layer}.attn_v"),
        Module::projection(OProj, "model.layers.{layer}.self_attn.o_proj", "blk.{layer}.attn_output"),
        Module::projection(GateProj, "model.layers.{layer}.mlp.gate_proj", "blk.{layer}.ffn_gate"),
        Module::projection(UpProj, "model.layers.{layer}.mlp.up_proj", "blk.{layer}.ffn_up"),
        Module::projection(DownProj, "model.layers.{layer}.mlp.down_proj", "blk.{layer}.ffn_down"),
    ],
};

//! Qwen2 and Qwen2.5: Llama's layer with biases on q, k and v, which no field of the configuration mentions.
//!
//! # Source
//! Yang et al. 2024; transformers `models/qwen2`; llama.cpp `conversion/qwen.py`.

use super::{
    Defaults, Family, LayerSpec, Module,
    Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj},
    ReadBiases,
    Role::{AttentionNorm, Embedding, FinalNorm, LanguageHead, MlpNorm},
    Window, WindowedLayers,
    llama::LLAMA,
};

pub(super) static FAMILY: Family = Family {
    title: "Qwen2",
    models: "Qwen2, Qwen2.5, DeepSeek-R1-Distill-Qwen",
    model_type: "qwen2",
    class_stem: "Qwen2",
    architecture: Some("qwen2"),
    defaults: Defaults { key_value_heads: Some(32), max_positions: 32_768, ..Defaults::LLAMA },
    reads_biases: ReadBiases::NONE,
    window: Some(Window {
        flag: Some("use_sliding_window"),
        keys: Some(4096),
        layer_types: true,
        layers: WindowedLayers::From(28),
    }),
    layer: |variant, layer| LayerSpec { biases: &[QProj, KProj, VProj], ..variant.layer(layer) },
    modules: &[
        Module::new(Embedding, "model.embed_tokens", "token_embd"),
        Module::new(FinalNorm, "model.norm", "output_norm"),
        Module::new(LanguageHead, "lm_head", "output"),
        Module::new(AttentionNorm, "model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm"),
        Module::new(MlpNorm, "model.layers.{layer}.post_attention_layernorm", "blk.{layer}.ffn_norm"),
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

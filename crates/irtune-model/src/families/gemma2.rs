//! Gemma 2: Gemma's layer with norms on both ends of its branches, windows over the keys of every second layer, and caps on
//! scores and on the language-model head's logits.
//!
//! # Source
//! Gemma Team 2024, "Gemma 2"; transformers `models/gemma2`; llama.cpp `conversion/gemma.py`.

use irtune_device::Gate;

use super::{
    Defaults, Family, Fixed, LayerSpec, Literal, Module, NormPlacement, Number,
    Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj},
    Quantity, ReadBiases,
    Role::{AttentionNorm, AttentionOutputNorm, Embedding, FinalNorm, LanguageHead, MlpNorm, MlpOutputNorm},
    Window, WindowedLayers,
    llama::LLAMA,
};

pub(super) static FAMILY: Family = Family {
    title: "Gemma 2",
    models: "Gemma 2 2B, 9B and 27B",
    model_type: "gemma2",
    class_stem: "Gemma2",
    architecture: Some("gemma2"),
    defaults: Defaults {
        head_size: Some(256),
        key_value_heads: Some(4),
        max_positions: 8192,
        tied_embeddings: true,
        ..Defaults::LLAMA
    },
    fixed: &[
        Fixed::new("hidden_activation", Literal::Text("gelu_pytorch_tanh")),
        Fixed::new("use_bidirectional_attention", Literal::Flag(false)),
    ],
    reads_biases: ReadBiases::ATTENTION,
    window: Some(Window {
        flag: None,
        keys: Some(4096),
        layer_types: true,
        layers: WindowedLayers::AllButEvery { field: None, every: 2 },
    }),
    scales_embedding: true,
    numbers: &[
        // A GGUF doesn't hold it; with 46 layers, the 27B, it is the width of a head of the residual stream.
        Number::new("query_pre_attn_scalar", Quantity::ScoreWidth { whole_at_layers: 46 }).or(256.0),
        Number::new("attn_logit_softcapping", Quantity::ScoreCap).in_gguf("attn_logit_softcapping").or(50.0),
        Number::new("final_logit_softcapping", Quantity::LogitCap)
            .in_gguf("final_logit_softcapping")
            .or(30.0),
    ],
    layer: |variant, layer| LayerSpec {
        norms: NormPlacement::Around,
        gate: Gate::GeluTanh,
        ..variant.layer(layer)
    },
    modules: &[
        Module::new(Embedding, "model.embed_tokens", "token_embd"),
        Module::new(FinalNorm, "model.norm", "output_norm").plus_one(),
        Module::new(LanguageHead, "lm_head", "output"),
        Module::new(AttentionNorm, "model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm")
            .plus_one(),
        Module::new(
            AttentionOutputNorm,
            "model.layers.{layer}.post_attention_layernorm",
            "blk.{layer}.post_attention_norm",
        )
        .plus_one(),
        Module::new(MlpNorm, "model.layers.{layer}.pre_feedforward_layernorm", "blk.{layer}.ffn_norm")
            .plus_one(),
        Module::new(
            MlpOutputNorm,
            "model.layers.{layer}.post_feedforward_layernorm",
            "blk.{layer}.post_ffw_norm",
        )
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

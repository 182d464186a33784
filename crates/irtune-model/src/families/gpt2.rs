//! GPT-2: layer norms with biases, learned positions, queries, keys and values from one matrix, an MLP without a gate,
//! biases everywhere. Its matrices are stored transposed in transformers (`Conv1D`), not in a GGUF.
//!
//! # Source
//! Radford et al. 2019; transformers `models/gpt2`; llama.cpp `conversion/gpt2.py`.

use super::{
    Defaults, Family, FieldNames, Fixed, LayerSpec, Literal, MlpKind, Module, NormKind,
    Projection::{DownProj, OProj, QkvProj, UpProj},
    ReadBiases,
    Role::{AttentionNorm, Embedding, FinalNorm, LanguageHead, MlpNorm, PositionEmbedding},
    llama::LLAMA,
    settings::GELU_TANH,
};

pub(super) static FAMILY: Family = Family {
    title: "GPT-2",
    models: "GPT-2 124M to 1.5B, DistilGPT-2",
    model_type: "gpt2",
    class_stem: "GPT2",
    architecture: Some("gpt2"),
    fields: FieldNames {
        hidden_size: "n_embd",
        intermediate_size: "n_inner",
        layers: "n_layer",
        heads: "n_head",
        key_value_heads: None,
        head_size: None,
        max_positions: "n_positions",
        norm_epsilon: "layer_norm_epsilon",
    },
    defaults: Defaults {
        max_positions: 1024,
        norm_epsilon: 1e-5,
        widening: Some(4),
        tied_embeddings: true,
        ..Defaults::LLAMA
    },
    fixed: &[
        Fixed::or("activation_function", Literal::Text("gelu_new"), GELU_TANH),
        Fixed::new("scale_attn_weights", Literal::Flag(true)),
        Fixed::new("scale_attn_by_inverse_layer_idx", Literal::Flag(false)),
        Fixed::new("add_cross_attention", Literal::Flag(false)),
    ],
    reads_biases: ReadBiases::NONE,
    layer: |variant, index| LayerSpec {
        biases: &[QkvProj, OProj, UpProj, DownProj],
        norm: NormKind::Layer,
        fused_attention: true,
        mlp: MlpKind::Plain(irtune_device::Activation::GeluTanh),
        rotary: None,
        learned_positions: true,
        ..variant.layer(index)
    },
    buffers: &[".attn.bias", ".attn.masked_bias"],
    modules: &[&[
        Module::new(Embedding, "transformer.wte", "token_embd"),
        Module::new(PositionEmbedding, "transformer.wpe", "position_embd"),
        Module::new(FinalNorm, "transformer.ln_f", "output_norm"),
        Module::new(LanguageHead, "lm_head", "output"),
        Module::new(AttentionNorm, "transformer.h.{layer}.ln_1", "blk.{layer}.attn_norm"),
        Module::projection(QkvProj, "transformer.h.{layer}.attn.c_attn", "blk.{layer}.attn_qkv").transposed(),
        Module::projection(OProj, "transformer.h.{layer}.attn.c_proj", "blk.{layer}.attn_output")
            .transposed(),
        Module::new(MlpNorm, "transformer.h.{layer}.ln_2", "blk.{layer}.ffn_norm"),
        Module::projection(UpProj, "transformer.h.{layer}.mlp.c_fc", "blk.{layer}.ffn_up").transposed(),
        Module::projection(DownProj, "transformer.h.{layer}.mlp.c_proj", "blk.{layer}.ffn_down").transposed(),
    ]],
    ..LLAMA
};

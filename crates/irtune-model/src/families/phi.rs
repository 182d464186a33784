//! Phi-1, Phi-1.5 and Phi-2: attention and an MLP without a gate beside each other, on one layer norm; rotary positions
//! on a part of each head, biases everywhere, also of the language-model head.
//!
//! # Source
//! Li et al., "Textbooks Are All You Need II", 2023; transformers `models/phi`; llama.cpp `conversion/phi.py`.

use super::{
    Defaults, Family, FieldNames, Fixed, LayerSpec, Literal, MlpKind, Module, NormKind,
    Projection::{DownProj, KProj, OProj, QProj, UpProj, VProj},
    ReadBiases,
    Role::{AttentionNorm, Embedding, FinalNorm, LanguageHead},
    llama::LLAMA,
    settings::GELU_TANH,
};

pub(super) static FAMILY: Family = Family {
    title: "Phi",
    models: "Phi-1, Phi-1.5, Phi-2",
    model_type: "phi",
    class_stem: "Phi",
    architecture: Some("phi2"),
    fields: FieldNames { norm_epsilon: "layer_norm_eps", ..FieldNames::LLAMA },
    defaults: Defaults { rotary_share: 0.5, norm_epsilon: 1e-5, ..Defaults::LLAMA },
    fixed: &[
        Fixed::or("hidden_act", Literal::Text("gelu_new"), GELU_TANH),
        Fixed::new("qk_layernorm", Literal::Flag(false)),
    ],
    reads_biases: ReadBiases::NONE,
    layer: |variant, index| LayerSpec {
        biases: &[QProj, KProj, VProj, OProj, UpProj, DownProj],
        norm: NormKind::Layer,
        mlp: MlpKind::Plain(irtune_device::Activation::GeluTanh),
        parallel: true,
        head_bias: true,
        ..variant.layer(index)
    },
    modules: &[&[
        Module::new(Embedding, "model.embed_tokens", "token_embd"),
        Module::new(FinalNorm, "model.final_layernorm", "output_norm"),
        Module::new(LanguageHead, "lm_head", "output"),
        Module::new(AttentionNorm, "model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm"),
        Module::projection(QProj, "model.layers.{layer}.self_attn.q_proj", "blk.{layer}.attn_q"),
        Module::projection(KProj, "model.layers.{layer}.self_attn.k_proj", "blk.{layer}.attn_k"),
        Module::projection(VProj, "model.layers.{layer}.self_attn.v_proj", "blk.{layer}.attn_v"),
        Module::projection(OProj, "model.layers.{layer}.self_attn.dense", "blk.{layer}.attn_output"),
        Module::projection(UpProj, "model.layers.{layer}.mlp.fc1", "blk.{layer}.ffn_up"),
        Module::projection(DownProj, "model.layers.{layer}.mlp.fc2", "blk.{layer}.ffn_down"),
    ]],
    ..LLAMA
};

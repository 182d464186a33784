//! Phi-3, Phi-3.5 and Phi-4: Llama's layer with q, k and v in one matrix and gate and up in another, so that an adapter
//! stands beside each whole matrix; frequencies divided by factors of their own where the context was lengthened.
//!
//! # Source
//! Abdin et al. 2024; transformers `models/phi3`; llama.cpp `conversion/phi.py`.

use super::{
    Defaults, Family, LayerSpec, MlpKind, Module,
    Projection::{DownProj, GateUpProj, OProj, QkvProj},
    ReadBiases, Window, WindowedLayers,
    llama::LLAMA,
    shared_modules::{ENDS, NORMS_BEFORE},
};

pub(super) static FAMILY: Family = Family {
    title: "Phi-3",
    models: "Phi-3, Phi-3.5, Phi-4, Phi-4-mini",
    model_type: "phi3",
    class_stem: "Phi3",
    architecture: Some("phi3"),
    defaults: Defaults { max_positions: 4096, norm_epsilon: 1e-5, ..Defaults::LLAMA },
    reads_biases: ReadBiases::NONE,
    window: Some(Window { flag: None, keys: None, layer_types: false, layers: WindowedLayers::All }),
    layer: |variant, index| LayerSpec {
        biases: &[],
        fused_attention: true,
        mlp: MlpKind::FusedGated,
        ..variant.layer(index)
    },
    modules: &[
        &ENDS,
        &NORMS_BEFORE,
        &[
            Module::projection(QkvProj, "model.layers.{layer}.self_attn.qkv_proj", "blk.{layer}.attn_qkv"),
            Module::projection(OProj, "model.layers.{layer}.self_attn.o_proj", "blk.{layer}.attn_output"),
            Module::projection(GateUpProj, "model.layers.{layer}.mlp.gate_up_proj", "blk.{layer}.ffn_up"),
            Module::projection(DownProj, "model.layers.{layer}.mlp.down_proj", "blk.{layer}.ffn_down"),
        ],
    ],
    ..LLAMA
};

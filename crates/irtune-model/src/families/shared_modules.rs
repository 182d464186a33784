//! Modules that families after Llama name as it does, to be put together in the order that files and engines keep them.

use super::{
    Module,
    Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj},
    Role::{
        self, AttentionNorm, AttentionOutputNorm, Embedding, FinalNorm, KeyNorm, LanguageHead, MlpNorm,
        MlpOutputNorm, QueryNorm,
    },
};

/// What stands outside the layers.
pub(super) const ENDS: [Module; 3] = [
    Module::new(Embedding, "model.embed_tokens", "token_embd"),
    Module::new(FinalNorm, "model.norm", "output_norm"),
    Module::new(LanguageHead, "lm_head", "output"),
];

/// Norms before attention and before the MLP.
pub(super) const NORMS_BEFORE: [Module; 2] = [
    Module::new(AttentionNorm, "model.layers.{layer}.input_layernorm", "blk.{layer}.attn_norm"),
    Module::new(MlpNorm, "model.layers.{layer}.post_attention_layernorm", "blk.{layer}.ffn_norm"),
];

/// Norms of what attention and the MLP put out.
pub(super) const NORMS_AFTER: [Module; 2] = [
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
];

/// Norms on both ends of attention and of the MLP.
pub(super) const NORMS_AROUND: [Module; 4] = [
    NORMS_BEFORE[0],
    NORMS_AFTER[0],
    Module::new(MlpNorm, "model.layers.{layer}.pre_feedforward_layernorm", "blk.{layer}.ffn_norm"),
    NORMS_AFTER[1],
];

/// Norms of queries and keys.
pub(super) const HEAD_NORMS: [Module; 2] = [
    Module::new(QueryNorm, "model.layers.{layer}.self_attn.q_norm", "blk.{layer}.attn_q_norm"),
    Module::new(KeyNorm, "model.layers.{layer}.self_attn.k_norm", "blk.{layer}.attn_k_norm"),
];

/// The matrices of attention and of a gated MLP.
pub(super) const PROJECTIONS: [Module; 7] = [
    Module::projection(QProj, "model.layers.{layer}.self_attn.q_proj", "blk.{layer}.attn_q"),
    Module::projection(KProj, "model.layers.{layer}.self_attn.k_proj", "blk.{layer}.attn_k"),
    Module::projection(VProj, "model.layers.{layer}.self_attn.v_proj", "blk.{layer}.attn_v"),
    Module::projection(OProj, "model.layers.{layer}.self_attn.o_proj", "blk.{layer}.attn_output"),
    Module::projection(GateProj, "model.layers.{layer}.mlp.gate_proj", "blk.{layer}.ffn_gate"),
    Module::projection(UpProj, "model.layers.{layer}.mlp.up_proj", "blk.{layer}.ffn_up"),
    Module::projection(DownProj, "model.layers.{layer}.mlp.down_proj", "blk.{layer}.ffn_down"),
];

/// The same, queries and keys with rows that a GGUF stores interleaved.
pub(super) const INTERLEAVED_PROJECTIONS: [Module; 7] = {
    let mut modules = PROJECTIONS;
    modules[0] = modules[0].interleaved();
    modules[1] = modules[1].interleaved();
    modules
};

/// The same modules, norms among them multiplying by 1 and their weight.
pub(super) const fn plus_one<const COUNT: usize>(mut modules: [Module; COUNT]) -> [Module; COUNT] {
    let mut index = 0;
    while index < COUNT {
        if !matches!(modules[index].role, Role::Embedding | Role::LanguageHead | Role::Projection(_)) {
            modules[index] = modules[index].plus_one();
        }
        index += 1;
    }
    modules
}

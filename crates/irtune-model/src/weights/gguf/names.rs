//! GGUF's names of a Llama decoder's tensors, in transformers' words.
//!
//! # Source
//! gguf-py `tensor_mapping.py`.

/// Divisors of the rotary frequencies: part of the configuration, not a weight.
pub(super) const ROPE_FACTORS: &str = "rope_freqs.weight";

/// transformers' name of a tensor, if a Llama decoder has such a one.
pub(super) fn translate(name: &str) -> Option<String> {
    match name {
        "token_embd.weight" => return Some("model.embed_tokens.weight".to_owned()),
        "output_norm.weight" => return Some("model.norm.weight".to_owned()),
        "output.weight" => return Some("lm_head.weight".to_owned()),
        _ => {}
    }
    let (layer, part) = name.strip_prefix("blk.")?.split_once('.')?;
    let path = match part {
        "attn_norm.weight" => "input_layernorm.weight",
        "ffn_norm.weight" => "post_attention_layernorm.weight",
        "attn_q.weight" => "self_attn.q_proj.weight",
        "attn_k.weight" => "self_attn.k_proj.weight",
        "attn_v.weight" => "self_attn.v_proj.weight",
        "attn_output.weight" => "self_attn.o_proj.weight",
        "ffn_gate.weight" => "mlp.gate_proj.weight",
        "ffn_up.weight" => "mlp.up_proj.weight",
        "ffn_down.weight" => "mlp.down_proj.weight",
        _ => return None,
    };
    // The number must be written the one way, so that no two names become one.
    let number: usize = layer.parse().ok()?;
    (number.to_string() == layer).then(|| format!("model.layers.{layer}.{path}"))
}

/// Whether the rows of each head are stored with the two halves of a rotary pair side by side.
pub(super) fn is_interleaved(name: &str) -> bool {
    name.ends_with(".attn_q.weight") || name.ends_with(".attn_k.weight")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_translated_or_refused() {
        assert_eq!(translate("blk.12.ffn_up.weight").as_deref(), Some("model.layers.12.mlp.up_proj.weight"));
        assert_eq!(translate("token_embd.weight").as_deref(), Some("model.embed_tokens.weight"));
        for unknown in ["blk.0.attn_q.bias", "blk.x.attn_q.weight", "blk.01.attn_q.weight", "blk.0", "norm"] {
            assert_eq!(translate(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn only_q_and_k_are_interleaved() {
        assert!(is_interleaved("blk.3.attn_q.weight") && is_interleaved("blk.3.attn_k.weight"));
        assert!(!is_interleaved("blk.3.attn_v.weight") && !is_interleaved("blk.3.attn_output.weight"));
    }
}

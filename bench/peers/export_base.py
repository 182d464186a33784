"""Writes the base model of a GGUF file as a transformers folder, so that both sides run on the same weights.

    python export_base.py MODEL.gguf FOLDER [--dtype float32|bfloat16]

Quantised blocks are decoded to the values irtune computes with.  A Llama GGUF keeps the rows of each head of q and k
in the order of interleaved rotary pairs; they are put back into transformers' order (halves).
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

NAMES = {
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
}


def transformers_name(name):
    if name.startswith("blk."):
        _, layer, part, _ = name.split(".")
        return f"model.layers.{layer}.{NAMES[part]}.weight"
    return f"{NAMES[name.removesuffix('.weight')]}.weight"


def read(path):
    """The configuration and the float32 weights of a Llama GGUF, by transformers' names."""
    reader = gguf.GGUFReader(path)
    value = lambda key: reader.fields[key].contents() if key in reader.fields else None
    assert value("general.architecture") == "llama", f"{path} is not a Llama"
    heads, groups = value("llama.attention.head_count"), value("llama.attention.head_count_kv")
    weights = {}
    for tensor in reader.tensors:
        values = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1]).astype(np.float32)
        for part, count in [("attn_q", heads), ("attn_k", groups)]:
            if f".{part}." in tensor.name:
                pairs = values.reshape(count, -1, 2, values.shape[1])  # [heads, half, 2, columns]
                values = pairs.swapaxes(1, 2).reshape(values.shape)
        weights[transformers_name(tensor.name)] = torch.from_numpy(np.ascontiguousarray(values))
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "vocab_size": weights["model.embed_tokens.weight"].shape[0],
        "hidden_size": value("llama.embedding_length"), "intermediate_size": value("llama.feed_forward_length"),
        "num_hidden_layers": value("llama.block_count"), "num_attention_heads": heads, "num_key_value_heads": groups,
        "max_position_embeddings": value("llama.context_length"), "rope_theta": value("llama.rope.freq_base"),
        "rms_norm_eps": float(f"{value('llama.attention.layer_norm_rms_epsilon'):.6g}"),
        "bos_token_id": value("tokenizer.ggml.bos_token_id"), "eos_token_id": value("tokenizer.ggml.eos_token_id"),
        "pad_token_id": value("tokenizer.ggml.padding_token_id"),
        "tie_word_embeddings": "lm_head.weight" not in weights,
    }
    return config, weights


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("gguf", type=Path)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    options = arguments.parse_args()
    config, weights = read(options.gguf)
    dtype = getattr(torch, options.dtype)
    options.folder.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.to(dtype) for name, weight in weights.items()}
    save_file(weights, options.folder / "model.safetensors", metadata={"format": "pt"})
    (options.folder / "config.json").write_text(json.dumps(config | {"dtype": options.dtype}, indent=1) + "\n")


if __name__ == "__main__":
    main()

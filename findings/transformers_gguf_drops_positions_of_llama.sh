#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0, gguf 0.19.0, accelerate 1.15.0 and torch 2.15.0. Needs python3 with venv, and some
# 4 GB of disk for torch.
#
# Behaviour: transformers takes rope_theta from a GGUF file and nothing else that the file says about positions. The
# keys rope.scaling.* (linear, YaRN), the tensor rope_freqs.weight, by which Llama 3.1 and later scale their
# frequencies, and a window of attention in a file of architecture "llama" (Mistral 7B v0.1's) are dropped without a
# word. Logits are then bitwise those of the same weights without any of it. A configuration that says the same in
# transformers' own words gives other logits.
#
# Output seen, the largest difference of logits from those of the plain file:
#   rope_freqs.weight: from the file 0.00, rope type default
#   linear, factor 4: from the file 0.00, rope type default; asked for by configuration more than 0.1
#   yarn, factor 4: from the file 0.00, rope type default; asked for by configuration more than 0.1
#   window of 8 keys: from the file 0.00, rope type default; asked for by configuration more than 0.1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet transformers==5.24.0 gguf==0.19.0 accelerate==1.15.0 torch==2.15.0
cat >look.py <<'SCRIPT'
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import gguf
import numpy
import torch
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

HIDDEN, LAYERS, HEADS, KEY_HEADS, INNER, VOCABULARY = 64, 2, 4, 2, 128, 100
SIZE = HIDDEN // HEADS


def write(path, says):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(131072)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(SIZE)
    writer.add_vocab_size(VOCABULARY)
    says(writer)
    random = numpy.random.default_rng(0)

    def add(name, *shape):
        writer.add_tensor(name + ".weight", (random.standard_normal(shape) * 0.2).astype(numpy.float32))

    def add_ones(name):
        writer.add_tensor(name + ".weight", numpy.ones(HIDDEN, numpy.float32))

    add("token_embd", VOCABULARY, HIDDEN)
    add("output", VOCABULARY, HIDDEN)
    add_ones("output_norm")
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        add(block + "attn_q", HIDDEN, HIDDEN)
        add(block + "attn_k", KEY_HEADS * SIZE, HIDDEN)
        add(block + "attn_v", KEY_HEADS * SIZE, HIDDEN)
        add(block + "attn_output", HIDDEN, HIDDEN)
        add(block + "ffn_gate", INNER, HIDDEN)
        add(block + "ffn_up", INNER, HIDDEN)
        add(block + "ffn_down", HIDDEN, INNER)
        add_ones(block + "attn_norm")
        add_ones(block + "ffn_norm")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def frequencies(writer):
    writer.add_tensor("rope_freqs.weight", numpy.array([1, 1, 1, 2, 4, 8, 8, 8], numpy.float32))


def linear(writer):
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(4.0)


def yarn(writer):
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
    writer.add_rope_scaling_factor(4.0)
    writer.add_rope_scaling_orig_ctx_len(32)


FILES = {
    "plain": (lambda writer: None, None),
    "rope_freqs.weight": (frequencies, None),
    "linear, factor 4": (linear, {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}}),
    "yarn, factor 4": (
        yarn,
        {
            "rope_parameters": {
                "rope_type": "yarn",
                "factor": 4.0,
                "rope_theta": 10000.0,
                "original_max_position_embeddings": 32,
            }
        },
    ),
    "window of 8 keys": (lambda writer: writer.add_sliding_window(8), {"sliding_window": 8}),
}
tokens = torch.arange(40)[None]
as_seen, plain = True, None
for name, (says, asked) in FILES.items():
    write("model.gguf", says)
    model = AutoModelForCausalLM.from_pretrained(".", gguf_file="model.gguf", dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(tokens).logits
    plain = logits if plain is None else plain
    if name == "plain":
        continue
    from_file = (logits - plain).abs().max().item()
    kind = model.config.rope_parameters["rope_type"]
    as_seen &= from_file == 0 and kind == "default"
    line = f"{name}: from the file {from_file:.2f}, rope type {kind}"
    if asked:
        # Mistral's class is Llama's with a window; the weights have the same names.
        words = {key: value for key, value in model.config.to_dict().items() if key in MistralConfig().to_dict()}
        words |= {"model_type": "mistral", "sliding_window": None, "head_dim": SIZE} | asked
        other = MistralForCausalLM(MistralConfig(**words)).eval()
        other.load_state_dict(model.state_dict())
        with torch.no_grad():
            difference = (other(tokens).logits - plain).abs().max().item()
        as_seen &= difference > 0.1
        line += f"; asked for by configuration {'more' if difference > 0.1 else 'not more'} than 0.1"
    print(line)
if not as_seen:
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py

#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0, gguf 0.19.0, accelerate 1.15.0 and torch 2.15.0. Needs python3 with venv, and some
# 4 GB of disk for torch.
#
# Behaviour: of a GGUF file of architecture "phi3" transformers turns all dimensions of a head, whatever
# rope.dimension_count says (Phi-4-mini turns 96 of 128), and takes the original context as 4096. The tensors
# rope_factors_short.weight and rope_factors_long.weight and the key rope.scaling.attn_factor of the long-context models
# are dropped, so logits are bitwise those of a file without them.
#
# Output seen:
#   the file: 12 of 16 dimensions, original context 64; the configuration: partial_rotary_factor 1.0, rope type default,
#   original context 4096
#   largest difference of logits from those of a file that says nothing of it: 0.00
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
from transformers import AutoModelForCausalLM

HIDDEN, LAYERS, HEADS, INNER, VOCABULARY = 64, 2, 4, 128, 100
SIZE = HIDDEN // HEADS


def write(path, says):
    writer = gguf.GGUFWriter(path, "phi3")
    writer.add_context_length(131072)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(VOCABULARY)
    writer.add_pad_token_id(0)
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
        add(block + "attn_qkv", 3 * HIDDEN, HIDDEN)
        add(block + "attn_output", HIDDEN, HIDDEN)
        add(block + "ffn_up", 2 * INNER, HIDDEN)
        add(block + "ffn_down", HIDDEN, INNER)
        add_ones(block + "attn_norm")
        add_ones(block + "ffn_norm")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def long(writer):
    writer.add_rope_dimension_count(12)
    writer.add_rope_scaling_orig_ctx_len(64)
    writer.add_rope_scaling_attn_factors(1.5)
    writer.add_tensor("rope_factors_short.weight", numpy.full(6, 2, numpy.float32))
    writer.add_tensor("rope_factors_long.weight", numpy.full(6, 8, numpy.float32))


def load(says):
    write("model.gguf", says)
    model = AutoModelForCausalLM.from_pretrained(".", gguf_file="model.gguf", dtype=torch.float32).eval()
    with torch.no_grad():
        return model.config, model(torch.arange(1, 41)[None]).logits


_, plain = load(lambda writer: writer.add_rope_dimension_count(SIZE))
config, logits = load(long)
share, kind = config.rope_parameters["partial_rotary_factor"], config.rope_parameters["rope_type"]
context, difference = config.original_max_position_embeddings, (logits - plain).abs().max().item()
print(f"the file: 12 of {SIZE} dimensions, original context 64; the configuration: partial_rotary_factor {share},", end=" ")
print(f"rope type {kind}, original context {context}")
print(f"largest difference of logits from those of a file that says nothing of it: {difference:.2f}")
if (share, kind, context, difference) != (1.0, "default", 4096, 0.0):
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py

#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0, gguf 0.19.0, accelerate 1.15.0 and torch 2.15.0. Needs python3 with venv, and some
# 4 GB of disk for torch.
#
# Behaviour: transformers can't load a GGUF file of architecture "gpt2" whose context is not 1024 positions. It writes
# gpt2.context_length to the configuration as n_ctx, which nothing reads, and makes a model of n_positions = 1024. The
# table of positions in the file then has another shape.
#
# Output seen:
#   1024 positions: loaded, n_positions 1024
#   2048 positions: RuntimeError
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet transformers==5.24.0 gguf==0.19.0 accelerate==1.15.0 torch==2.15.0
cat >look.py <<'SCRIPT'
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
import gguf
import numpy
from transformers import AutoModelForCausalLM

HIDDEN, HEADS, VOCABULARY = 64, 4, 50257


def write(path, positions):
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(positions)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(1)
    writer.add_feed_forward_length(4 * HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_eps(1e-5)
    shapes = {
        "token_embd.weight": (VOCABULARY, HIDDEN),
        "output.weight": (VOCABULARY, HIDDEN),
        "position_embd.weight": (positions, HIDDEN),
    }
    for norm in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        shapes |= {f"{norm}.weight": (HIDDEN,), f"{norm}.bias": (HIDDEN,)}
    sizes = {"attn_qkv": (3, 1), "attn_output": (1, 1), "ffn_up": (4, 1), "ffn_down": (1, 4)}
    for name, (rows, columns) in sizes.items():
        shapes[f"blk.0.{name}.weight"] = (rows * HIDDEN, columns * HIDDEN)
        shapes[f"blk.0.{name}.bias"] = (rows * HIDDEN,)
    for name, shape in shapes.items():
        writer.add_tensor(name, numpy.ones(shape, numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


seen = {}
for positions in (1024, 2048):
    write("model.gguf", positions)
    try:
        model = AutoModelForCausalLM.from_pretrained(".", gguf_file="model.gguf")
        seen[positions] = f"loaded, n_positions {model.config.n_positions}"
    except RuntimeError as error:
        seen[positions] = type(error).__name__
    print(f"{positions} positions: {seen[positions]}")
if seen != {1024: "loaded, n_positions 1024", 2048: "RuntimeError"}:
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py

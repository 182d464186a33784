#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0, accelerate 1.15.0 and torch 2.15.0. Needs python3 with venv, and some 4 GB of disk
# for torch.
#
# Behaviour: of a model in eight-bit floats (`quant_method` "fp8", `weight_block_size` [128, 128]) a matrix whose rows
# don't fill whole blocks has a last block that is smaller: 192 rows have scales for rows 0 to 127 and 128 to 191. The
# module that transformers makes for such a matrix has room for these scales, and multiplies so. Loaded with
# `dequantize=True`, which is what a machine without a GPU does, the rows are divided evenly instead: rows 96 to 127 get
# the second scale, without a warning. Where the rows can't be divided evenly (320 by 3) loading stops.
#
# Output seen:
#   192 rows, scales 1 and 3: the second scale begins at row 96, in the module at row 128
#   320 rows, 3 scales: Weight shape (320, 128) not divisible by scale grid (3, 1).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet transformers==5.24.0 accelerate==1.15.0 torch==2.15.0
cat >look.py <<'SCRIPT'
import json
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, FineGrainedFP8Config, LlamaConfig, LlamaForCausalLM
from transformers.integrations.finegrained_fp8 import Fp8Dequantize, _dequantize_fp8_weight

ROWS, BLOCK = 192, [128, 128]
config = LlamaConfig(
    hidden_size=128, intermediate_size=ROWS, num_hidden_layers=1, num_attention_heads=1, vocab_size=32,
    tie_word_embeddings=True, bos_token_id=None, eos_token_id=None,
)
tensors = {}
for name, weight in LlamaForCausalLM(config).named_parameters():
    tensors[name] = weight.detach().bfloat16()
    if weight.ndim == 2 and "embed" not in name:
        rows, columns = weight.shape
        grid = torch.ones(-(-rows // 128), -(-columns // 128))
        if "gate_proj" in name:
            grid[1:] = 3
        tensors[name] = torch.ones(rows, columns).to(torch.float8_e4m3fn)
        tensors[f"{name}_scale_inv"] = grid
os.mkdir("model")
save_file(tensors, "model/model.safetensors", metadata={"format": "pt"})
settings = config.to_dict() | {
    "architectures": ["LlamaForCausalLM"], "dtype": "bfloat16",
    "quantization_config": {"quant_method": "fp8", "weight_block_size": BLOCK, "activation_scheme": "dynamic"},
}
json.dump(settings, open("model/config.json", "w"))
loaded = AutoModelForCausalLM.from_pretrained(
    "model", quantization_config=FineGrainedFP8Config(weight_block_size=tuple(BLOCK), dequantize=True)
)
found = loaded.model.layers[0].mlp.gate_proj.weight
name = "model.layers.0.mlp.gate_proj.weight"
module = _dequantize_fp8_weight(tensors[name], tensors[f"{name}_scale_inv"], BLOCK, torch.float32)
first = lambda weight: int((weight[:, 0].float() == 3).nonzero()[0, 0])
seen = first(found), first(module)
print(f"{ROWS} rows, scales 1 and 3: the second scale begins at row {seen[0]}, in the module at row {seen[1]}")
refused = ""
try:
    Fp8Dequantize(None)._dequantize_one(torch.ones(320, 128).to(torch.float8_e4m3fn), torch.ones(3, 1))
except ValueError as error:
    refused = str(error)
print(f"320 rows, 3 scales: {refused}")
if seen != (96, 128) or "not divisible" not in refused:
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py

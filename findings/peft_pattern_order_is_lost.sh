#!/usr/bin/env bash
# Packages: PyPI peft 0.21.2, transformers 5.24.0 and torch 2.15.0. Needs python3 with venv, and some 4 GB of disk for
# torch.
#
# Behaviour: of the patterns of LoraConfig's `alpha_pattern` and `rank_pattern` the first one counts that matches a
# module. `save_pretrained` writes them sorted by their text. So an adapter whose general pattern stood before a special
# one is another after saving and loading: its modules are scaled otherwise, without a warning.
#
# Output seen:
#   scaling of layers.1.self_attn.v_proj: trained with 2.0, loaded with 32.0
#   largest difference of a logit: above 0.1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet peft==0.21.2 transformers==5.24.0 torch==2.15.0
cat >look.py <<'SCRIPT'
import os
import tempfile

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

SIZES = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2)


def base():
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(num_key_value_heads=2, **SIZES))


def scaling(model):
    return model.base_model.model.model.layers[1].self_attn.v_proj.scaling["default"]


lora = LoraConfig(
    r=2, lora_alpha=2, target_modules=["v_proj"],
    alpha_pattern={"v_proj": 4, "layers.1.self_attn.v_proj": 64},
)
trained = get_peft_model(base(), lora)
for name, values in trained.named_parameters():
    if "lora_" in name:
        torch.nn.init.normal_(values, std=0.5)
tokens = torch.tensor([[1, 5, 7, 11]])
with tempfile.TemporaryDirectory() as folder:
    trained.save_pretrained(folder)
    loaded = PeftModel.from_pretrained(base(), folder)
with torch.no_grad():
    difference = (trained(tokens).logits - loaded(tokens).logits).abs().max().item()
print(f"scaling of layers.1.self_attn.v_proj: trained with {scaling(trained)}, loaded with {scaling(loaded)}")
print(f"largest difference of a logit: {'above 0.1' if difference > 0.1 else difference}")
if (scaling(trained), scaling(loaded)) != (2.0, 32.0) or difference < 0.1:
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python -W ignore look.py

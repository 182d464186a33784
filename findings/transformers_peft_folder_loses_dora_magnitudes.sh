#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0, peft 0.21.2 and torch 2.15.0. Needs python3 with venv, and some 4 GB of disk for
# torch.
#
# Behaviour: `AutoModelForCausalLM.from_pretrained` takes the folder of a DoRA adapter, as `PeftModel.save_pretrained`
# wrote it, and loads the base with it. Of the adapter it takes A and B, but not the trained magnitudes
# (`lora_magnitude_vector`): these stay what DoRA starts from, the norms of the base's weights. `PeftModel.from_pretrained`
# takes them. So the same folder is two models.
#
# Output seen:
#   magnitudes as they were trained: PeftModel True, from_pretrained False
#   largest difference of a logit to the trained model: PeftModel 0.0, from_pretrained above 0.1
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet transformers==5.24.0 peft==0.21.2 torch==2.15.0
cat >look.py <<'SCRIPT'
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=2,
)
LlamaForCausalLM(config).save_pretrained("base")


def base():
    return AutoModelForCausalLM.from_pretrained("base", dtype="float32")


def magnitudes(model):
    found = [values for name, values in model.named_parameters() if "lora_magnitude_vector" in name]
    assert found, "no magnitudes"
    return torch.cat([values.flatten() for values in found]).detach()


adapter = LoraConfig(r=2, lora_alpha=2, target_modules=["v_proj"], use_dora=True)
trained = get_peft_model(base(), adapter).eval()
with torch.no_grad():
    for name, values in trained.named_parameters():
        if "lora_magnitude_vector" in name:
            values.mul_(5.0)
trained.save_pretrained("adapter")
ways = {
    "PeftModel": PeftModel.from_pretrained(base(), "adapter").eval(),
    "from_pretrained": AutoModelForCausalLM.from_pretrained("adapter", dtype="float32").eval(),
}
tokens = torch.tensor([[1, 5, 7, 11]])
taken, differences = {}, {}
for name, model in ways.items():
    taken[name] = torch.allclose(magnitudes(model), magnitudes(trained))
    with torch.no_grad():
        difference = (model(tokens).logits - trained(tokens).logits).abs().max().item()
    differences[name] = "above 0.1" if difference > 0.1 else difference


def shown(figures):
    return ", ".join(f"{name} {figure}" for name, figure in figures.items())


print(f"magnitudes as they were trained: {shown(taken)}")
print(f"largest difference of a logit to the trained model: {shown(differences)}")
if taken != {"PeftModel": True, "from_pretrained": False} or differences["from_pretrained"] != "above 0.1":
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python -W ignore look.py

"""Loads the adapter of an irtune run with PEFT and compares its probabilities with irtune's own.

    irtune predict --run RUN --data pairs.jsonl --precision f32 --uncalibrated > predictions.jsonl
    python check_adapter.py RUN BASE pairs.jsonl predictions.jsonl

RUN is of `--head pooled --prompt instruction --stack false`: PEFT knows no other head, and this file fills no other
prompt.  BASE is a transformers folder with its tokenizer, or a GGUF file that transformers reads itself. Pairs must be
short enough not to be shortened. Exits with 1 beyond 1e-4.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

run, base, pairs, predictions = map(Path, sys.argv[1:])
labels = json.loads((run / "labels.json").read_text())
template = json.loads((run / "prompt.json").read_text())["text"]
source = {"gguf_file": base.name} if base.suffix == ".gguf" else {}
base = base.parent if source else base
tokenizer = AutoTokenizer.from_pretrained(base, **source)
config = json.loads((run / "adapter" / "classifier.json").read_text())
several = config["problem_type"] == "multi_label_classification"
head_file = run / "adapter" / "head.safetensors"
if head_file.exists():  # transformers has no classifier over the base: PEFT loads the adapter, and the head is laid over it
    head = load_file(head_file)["score.weight"]
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, **source)
else:
    model = AutoModelForSequenceClassification.from_pretrained(
        base, num_labels=len(labels), dtype=torch.float32, **source
    )
    model.config.get_text_config().pad_token_id = config["pad_token_id"]
model = PeftModel.from_pretrained(model, run / "adapter").eval()

worst, compared = 0.0, 0
for pair, prediction in zip(map(json.loads, pairs.open()), map(json.loads, predictions.open()), strict=True):
    original = pair.get("before", pair.get("original"))
    revised = pair.get("after", pair.get("revised"))
    text = template.format(labels=", ".join(labels), original=original, revised=revised)
    tokens = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        if head_file.exists():
            logits = model.get_base_model().model(**tokens).last_hidden_state[0, -1] @ head.T
        else:
            logits = model(**tokens).logits[0]
    theirs = logits.sigmoid() if several else logits.softmax(-1)
    ours = torch.tensor([prediction["probabilities"][label] for label in labels])
    worst = max(worst, float((theirs - ours).abs().max()))
    compared += 1
print(f"{compared} pairs, largest difference of a probability {worst:.2e}")
sys.exit(not (compared and worst <= 1e-4))

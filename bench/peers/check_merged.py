"""Loads a merged model with transformers alone and compares its probabilities with those of the run it was made of.

    irtune merge --run RUN --out MERGED
    irtune predict --run RUN --data pairs.jsonl --precision f32 --uncalibrated > predictions.jsonl
    python check_merged.py MERGED pairs.jsonl predictions.jsonl

Tokens come from the merged folder's own tokenizer. Pairs must be short enough not to be shortened. Exits with 1 beyond
1e-4 (f32; a bf16 model differs by more).
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

merged, pairs, predictions = map(Path, sys.argv[1:])
template = json.loads((merged / "irtune.json").read_text())["prompt"]["text"]
tokenizer = AutoTokenizer.from_pretrained(merged)
model = AutoModelForSequenceClassification.from_pretrained(merged, dtype=torch.float32, trust_remote_code=True).eval()
labels = [model.config.id2label[index] for index in range(model.config.num_labels)]

worst, compared = 0.0, 0
for pair, prediction in zip(map(json.loads, pairs.open()), map(json.loads, predictions.open()), strict=True):
    original = pair.get("before", pair.get("original"))
    revised = pair.get("after", pair.get("revised"))
    text = template.format(labels=", ".join(labels), original=original, revised=revised)
    tokens = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        logits = model(**tokens).logits[0]
    several = model.config.problem_type == "multi_label_classification"
    theirs = logits.sigmoid() if several else logits.softmax(-1)
    ours = torch.tensor([prediction["probabilities"][label] for label in labels])
    worst = max(worst, float((theirs - ours).abs().max()))
    compared += 1
print(f"{compared} pairs, largest difference of a probability {worst:.2e}")
sys.exit(not (compared and worst <= 1e-4))

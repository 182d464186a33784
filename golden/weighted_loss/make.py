"""Goldens of cross-entropy with class weights, label smoothing and distributions as targets, and of the binary
cross-entropy of several labels, by PyTorch in float64.

    python make.py

Keys read `section/name`; the options are in case.json under `sections`. `mean` is the loss with
reduction="mean", `logits_gradient` its gradient, `losses` those of the examples with reduction="none".
"""

import json
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

SEED, CLASSES, EXAMPLES = 41, 5, 9
WEIGHTS = [0.25, 1.0, 3.5, 0.7, 1.3]
HERE = Path(__file__).parent
random = np.random.default_rng(SEED)
tensors, sections = {}, {}

for section, weights, smoothing in [
    ("weights", WEIGHTS, 0.0), ("smoothing", None, 0.1), ("weights_and_smoothing", WEIGHTS, 0.25),
]:
    values = (random.standard_normal((EXAMPLES, CLASSES)) * 2).astype(np.float32)
    values[0] = [80.0, -80.0, 0.0, 3.0, -3.0]
    logits = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    targets = np.array([2, 0, 1, 4, 3, 3, 2, 0, 4], dtype=np.int32)
    weight = None if weights is None else torch.tensor(weights, dtype=torch.float64)

    def loss(reduction):
        made = torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=smoothing, reduction=reduction)
        return made(logits, torch.tensor(targets).long())

    mean = loss("mean")
    (gradient,) = torch.autograd.grad(mean, logits)
    found = {
        "logits": values, "losses": loss("none").detach().numpy(), "mean": mean.detach().numpy().reshape(1),
        "logits_gradient": gradient.numpy(),
    }
    for name, array in found.items():
        tensors[f"{section}/{name}"] = np.ascontiguousarray(array.astype(np.float32))
    tensors[f"{section}/targets"] = targets
    sections[section] = {"class_weights": weights, "label_smoothing": smoothing}

for section, weights, smoothing in [
    ("distributions", None, 0.0), ("distributions_weights", WEIGHTS, 0.0),
    ("distributions_weights_and_smoothing", WEIGHTS, 0.25),
]:
    values = (random.standard_normal((EXAMPLES, CLASSES)) * 2).astype(np.float32)
    values[0] = [80.0, -80.0, 0.0, 3.0, -3.0]
    votes = random.integers(0, 4, (EXAMPLES, CLASSES)).astype(np.float32)
    votes[1] = [0, 0, 1, 0, 0]
    shares = (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)
    logits = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    weight = None if weights is None else torch.tensor(weights, dtype=torch.float64)

    def loss(reduction):
        made = torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=smoothing, reduction=reduction)
        return made(logits, torch.tensor(shares, dtype=torch.float64))

    mean = loss("mean")
    (gradient,) = torch.autograd.grad(mean, logits)
    found = {
        "logits": values, "distributions": shares, "losses": loss("none").detach().numpy(),
        "mean": mean.detach().numpy().reshape(1), "logits_gradient": gradient.numpy(),
    }
    for name, array in found.items():
        tensors[f"{section}/{name}"] = np.ascontiguousarray(array.astype(np.float32))
    sections[section] = {"class_weights": weights, "label_smoothing": smoothing}

# Exact in float32.
POSITIVE_WEIGHTS = [0.25, 1.0, 3.5, 0.75, 1.25]
for section, weights in [("labels", None), ("labels_weights", POSITIVE_WEIGHTS)]:
    values = (random.standard_normal((EXAMPLES, CLASSES)) * 2).astype(np.float32)
    values[0] = [80.0, -80.0, 0.0, 3.0, -3.0]
    values[1] = [1e4, -1e4, 1e4, -1e4, 40.0]
    has = random.integers(0, 2, (EXAMPLES, CLASSES)).astype(np.float32)
    has[1] = [1, 0, 0, 1, 0]
    has[2] = 0
    logits = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    weight = None if weights is None else torch.tensor(weights, dtype=torch.float64)

    def loss(reduction):
        made = torch.nn.BCEWithLogitsLoss(pos_weight=weight, reduction=reduction)
        return made(logits, torch.tensor(has, dtype=torch.float64))

    mean = loss("mean")
    (gradient,) = torch.autograd.grad(mean, logits)
    found = {
        "logits": values, "labels": has, "losses": loss("none").detach().numpy(),
        "mean": mean.detach().numpy().reshape(1), "logits_gradient": gradient.numpy(),
        "pos_weight": np.array(weights or [1.0] * CLASSES),
    }
    for name, array in found.items():
        tensors[f"{section}/{name}"] = np.ascontiguousarray(array.astype(np.float32))
    sections[section] = {}

save_file(tensors, HERE / "case.safetensors")
versions = {name: metadata.version(name) for name in ["torch", "numpy"]}
facts = {"seed": SEED, "arithmetic": "float64, stored as float32", "versions": versions, "sections": sections}
(HERE / "case.json").write_text(json.dumps(facts, indent=1) + "\n")

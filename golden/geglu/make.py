"""Goldens of the gated activation with an approximate GELU, forward and backward, in float64 and stored as float32.

    python make.py

Keys read `section/name`, as those of golden/kernels.
"""

import json
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

SEED = 23
HERE = Path(__file__).parent
random = np.random.default_rng(SEED)


def draw(values):
    return torch.tensor(values.astype(np.float32), dtype=torch.float64, requires_grad=True)


# Beside usual values some in both tails, where 1 + tanh loses its digits.
gate = draw(np.concatenate([random.standard_normal(80) * 2, np.linspace(-12, 12, 25)]))
up, dy = draw(random.standard_normal(105)), draw(random.standard_normal(105))
y = torch.nn.functional.gelu(gate, approximate="tanh") * up
dgate, dup = torch.autograd.grad(y, [gate, up], dy)
values = dict(gate=gate, up=up, output=y, output_gradient=dy, gate_gradient=dgate, up_gradient=dup)
tensors = {f"geglu/{name}": value.detach().numpy().astype(np.float32) for name, value in values.items()}
save_file(tensors, HERE / "case.safetensors")
versions = {name: metadata.version(name) for name in ["torch", "numpy"]}
facts = {"seed": SEED, "arithmetic": "float64, stored as float32", "versions": versions, "sections": {"geglu": {}}}
(HERE / "case.json").write_text(json.dumps(facts, indent=1) + "\n")

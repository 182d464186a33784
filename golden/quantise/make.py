"""Goldens of blocks of 32 values as the package `gguf` quantises them, which is how ggml's reference does.

    python make.py

Keys read `TYPE/values`, `TYPE/bytes`.
"""

import json
from importlib import metadata
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import save_file

SEED = 31
HERE = Path(__file__).parent
random = np.random.default_rng(SEED)
tensors, sections = {}, {}
for name in ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"]:
    values = (random.standard_normal((24, 32)) * 10.0 ** random.uniform(-4, 2, (24, 1))).astype(np.float32)
    values[0], values[1], values[2, 5:] = 0, 0.37, 0
    values[3], values[4] = np.abs(values[3]), -np.abs(values[4])
    values[5] = np.linspace(-1, 1, 32, dtype=np.float32)  # largest and smallest are as far from zero
    values[6] = random.integers(-8, 8, 32) * 0.25  # many values lie between two codes
    tensors[f"{name}/values"] = values
    tensors[f"{name}/bytes"] = gguf.quantize(values, gguf.GGMLQuantizationType[name])
    sections[name] = {}
save_file(tensors, HERE / "case.safetensors")
versions = {name: metadata.version(name) for name in ["numpy", "gguf"]}
(HERE / "case.json").write_text(json.dumps({"seed": SEED, "versions": versions, "sections": sections}, indent=1) + "\n")

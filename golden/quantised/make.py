"""Goldens of quantised blocks: random bytes of each of ggml's types and the values that the package `gguf` decodes.

    python make.py

Any byte is a code or a small scale, so random bytes reach every one of them. Only the f16 scales and minima of a block
are chosen: usual ones, both zeros, negative ones, subnormal ones, and the largest whose values stay finite. Keys read
`TYPE/bytes`, `TYPE/values`.
"""

import json
from importlib import metadata
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import save_file

SEED = 30
HERE = Path(__file__).parent
ROWS, BLOCKS = 6, 3
# Where the f16 numbers of a block lie.
HALVES = {
    "Q5_0": [0], "Q5_1": [0, 2], "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": [],
}
NUMBERS = [1.0, -0.0127, 3.1e-3, 0.0, -0.0, 6e-8, 5.5e-5, -2e-6, 65504.0, -0.75]
random = np.random.default_rng(SEED)
tensors, sections = {}, {}
for name, halves in HALVES.items():
    kind = gguf.GGMLQuantizationType[name]
    values, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (ROWS, BLOCKS, size), dtype=np.uint8)
    for place in halves:
        numbers = random.choice(np.array(NUMBERS, dtype=np.float16), (ROWS, BLOCKS))
        numbers[0, :] = [0.0127, -1.5, 2e-3]
        blocks[:, :, place : place + 2] = numbers[:, :, None].view(np.uint8).reshape(ROWS, BLOCKS, 2)
    if name == "MXFP4":
        blocks[:, :, 0] %= 251  # above, some values are infinite
        blocks[1:3, :, 0] = [[0, 1, 2], [3, 127, 250]]
    packed = blocks.reshape(ROWS, BLOCKS * size)
    decoded = gguf.dequantize(packed, kind).reshape(ROWS, BLOCKS * values)
    assert decoded.dtype == np.float32 and np.isfinite(decoded).all(), name
    tensors[f"{name}/bytes"], tensors[f"{name}/values"] = packed, decoded
    sections[name] = {}
save_file(tensors, HERE / "case.safetensors")
versions = {name: metadata.version(name) for name in ["numpy", "gguf"]}
(HERE / "case.json").write_text(json.dumps({"seed": SEED, "versions": versions, "sections": sections}, indent=1) + "\n")

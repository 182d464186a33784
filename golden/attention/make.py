"""Goldens of causal grouped-query attention over a packed batch with a shared prefix, forward and backward.

    python make.py

The packed rows are the prefix once, then each example's own rows.  Every example is computed alone here (prefix
followed by its own rows, an ordinary causal mask, PyTorch's scaled_dot_product_attention, float64; with a window over
the keys, a cap on the scores or another scale as transformers' Mistral and Gemma 2 have them) and the gradients
of the prefix rows are summed over the examples.  An output gradient on a prefix row belongs to the prefix as a whole
and is counted once.  Keys read `section/name`; scalar arguments are in case.json under `sections`.
"""

import json
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

SEED = 21
HERE = Path(__file__).parent
random = np.random.default_rng(SEED)
tensors, sections = {}, {}


def draw(*shape, scale=1.0, sixteen_bit=False):
    values = torch.tensor((random.standard_normal(shape) * scale).astype(np.float32))
    if sixteen_bit:
        values = values.bfloat16()
    return values.double().requires_grad_()


def attend(q, k, v, heads, groups, size, scale=0, window=0, cap=0):
    """[rows, heads * size] queries over [rows, groups * size] keys and values, causal; 0 is the usual scale, or none."""
    q = q.view(-1, heads, size).transpose(0, 1)
    k, v = (x.view(-1, groups, size).transpose(0, 1).repeat_interleave(heads // groups, 0) for x in (k, v))
    if scale or window or cap:
        scores = q @ k.transpose(1, 2) * (scale or size**-0.5)
        if cap:
            scores = cap * torch.tanh(scores / cap)
        distance = torch.arange(len(q[0]))[:, None] - torch.arange(len(q[0]))
        unseen = (distance < 0) | (distance >= (window or len(q[0])))
        out = scores.masked_fill(unseen, -torch.inf).softmax(-1) @ v
    else:
        out = torch.nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0]
    return out.transpose(0, 1).reshape(-1, heads * size)


def case(section, prefix, lengths, heads, groups, size, spread=1.0, sixteen_bit=False, **scores):
    offsets = np.concatenate([[prefix], prefix + np.cumsum(lengths)]).astype(np.int32)
    rows = int(offsets[-1])
    q = draw(rows, heads * size, scale=spread, sixteen_bit=sixteen_bit)
    k, v = (draw(rows, groups * size, sixteen_bit=sixteen_bit) for _ in range(2))
    dy = draw(rows, heads * size, sixteen_bit=sixteen_bit)
    y = torch.empty(rows, heads * size, dtype=torch.float64)
    if prefix:
        y[:prefix] = attend(q[:prefix], k[:prefix], v[:prefix], heads, groups, size, **scores)
    for start, end in zip(offsets[:-1], offsets[1:]):
        packed = [torch.cat([x[:prefix], x[start:end]]) for x in (q, k, v)]
        y[start:end] = attend(*packed, heads, groups, size, **scores)[prefix:]
    dq, dk, dv = torch.autograd.grad(y, [q, k, v], dy)
    values = dict(q=q, k=k, v=v, output=y, output_gradient=dy, q_gradient=dq, k_gradient=dk, v_gradient=dv)
    for name, value in values.items():
        tensors[f"{section}/{name}"] = value.detach().numpy().astype(np.float32)
    tensors[f"{section}/offsets"] = offsets
    sections[section] = {"prefix": prefix, "heads": heads, "key_value_heads": groups, "head_size": size}
    sections[section] |= {"scale": 0, "window": 0, "cap": 0} | scores


case("shared_prefix", prefix=5, lengths=[1, 17, 8, 3], heads=4, groups=2, size=16)
case("no_prefix", prefix=0, lengths=[9, 1, 33], heads=3, groups=1, size=8)
case("long", prefix=44, lengths=[31, 70, 1], heads=2, groups=1, size=16)
case("every_head_its_own", prefix=3, lengths=[4, 2], heads=2, groups=2, size=64)
# A softmax close to one-hot. Rounding such queries to bf16 would change the task itself, so they are bf16 to begin with.
case("sharp", prefix=4, lengths=[12, 5], heads=2, groups=1, size=16, spread=40.0, sixteen_bit=True)
# Windows within a segment, over its beginning, and so small that a later segment sees little of the prefix, or nothing.
case("window", prefix=44, lengths=[31, 70, 1], heads=2, groups=1, size=16, window=37)
case("window_of_two", prefix=3, lengths=[4, 2], heads=2, groups=2, size=8, window=2)
case("cap", prefix=5, lengths=[17, 8], heads=4, groups=2, size=16, scale=0.4, cap=1.5)
case("window_and_cap", prefix=0, lengths=[9, 50], heads=3, groups=1, size=8, scale=0.7, window=5, cap=2.0)
save_file(tensors, HERE / "case.safetensors")
versions = {name: metadata.version(name) for name in ["torch", "numpy"]}
facts = {"seed": SEED, "arithmetic": "float64, stored as float32", "versions": versions, "sections": sections}
(HERE / "case.json").write_text(json.dumps(facts, indent=1) + "\n")

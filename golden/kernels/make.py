"""Goldens of single operations, forward and backward, computed in float64 and stored as float32.

    python make.py

Inputs are drawn in float32 first, so the stored inputs are exactly what the float64 arithmetic saw and the
stored outputs are within half a unit in the last place of the truth.  Keys read `section/name`; a section is one
call of one operation, its scalar arguments are in case.json under `sections`.
"""

import json
from importlib import metadata
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import rotate_half

SEED = 20
HERE = Path(__file__).parent
random = np.random.default_rng(SEED)
tensors, sections = {}, {}


def draw(*shape, scale=1.0):
    """float32 values, as a float64 tensor that takes part in gradients."""
    values = (random.standard_normal(shape) * scale).astype(np.float32)
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def store(section, facts=None, **values):
    sections[section] = facts or {}
    for name, value in values.items():
        if isinstance(value, torch.Tensor):
            value = value.detach().numpy()
        if value.dtype == np.float64:
            value = value.astype(np.float32)
        tensors[f"{section}/{name}"] = np.ascontiguousarray(value)


def rms_norm():
    epsilon = 1e-5
    # Widths on both sides of a vector register, and rows whose squares are near the ends of what float32 holds.
    for columns, scale in [(15, 1.0), (16, 1e-3), (33, 1e3), (64, 1.0)]:
        x, weight = draw(5, columns, scale=scale), draw(columns)
        y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight
        dy = draw(5, columns)
        dx, dweight = torch.autograd.grad(y, [x, weight], dy)
        store(
            f"rms_norm_{columns}", {"epsilon": epsilon},
            input=x, weight=weight, output=y, output_gradient=dy, input_gradient=dx, weight_gradient=dweight,
        )


def rotary():
    heads, size = 3, 16
    # A packed batch: the shared prefix 0..3 once, then each example goes on from 4.
    positions = np.array([0, 1, 2, 3, 4, 5, 6, 4, 4, 5, 100], dtype=np.int32)
    llama3 = {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    for name, scaling in [("default", {"rope_type": "default"}), ("llama3", llama3)]:
        theta = 10000.0
        config = LlamaConfig(
            hidden_size=heads * size, num_attention_heads=heads, head_dim=size, max_position_embeddings=512,
            rope_parameters={"rope_theta": theta, **scaling},
        )
        if name == "default":
            frequencies = theta ** -(torch.arange(0, size, 2, dtype=torch.float64) / size)
        else:
            frequencies = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")[0].double()
        angles = torch.tensor(positions).double()[:, None] * frequencies[None]
        angles = torch.cat([angles, angles], -1)[:, None]
        x = draw(len(positions), heads, size)
        y = x * angles.cos() + rotate_half(x) * angles.sin()
        dy = draw(len(positions), heads, size)
        (dx,) = torch.autograd.grad(y, x, dy)
        store(
            f"rotary_{name}", {"heads": heads, "head_size": size, "theta": theta, "scaling": scaling},
            positions=positions, frequencies=frequencies,
            input=x.flatten(1), output=y.flatten(1), output_gradient=dy.flatten(1), input_gradient=dx.flatten(1),
        )


def swiglu():
    gate, up = draw(7, 33), draw(7, 33)
    with torch.no_grad():  # both tails of the sigmoid
        gate[0, :8] = torch.tensor([-100.0, -30.0, -17.0, -1e-6, 1e-6, 17.0, 30.0, 100.0])
    y = torch.nn.functional.silu(gate) * up
    dy = draw(7, 33)
    dgate, dup = torch.autograd.grad(y, [gate, up], dy)
    store("swiglu", gate=gate, up=up, output=y, output_gradient=dy, gate_gradient=dgate, up_gradient=dup)


def lora_linear():
    rows, inputs, outputs, rank, scaling = 19, 48, 33, 4, 2.0
    for section, keep in [("lora_linear", None), ("lora_linear_dropout", 0.75)]:
        x, weight = draw(rows, inputs), draw(outputs, inputs, scale=inputs**-0.5)
        a, b = draw(rank, inputs, scale=inputs**-0.5), draw(outputs, rank, scale=0.3)
        extra = {}
        dropped = x
        if keep is not None:
            mask = (random.random((rows, inputs)) < keep).astype(np.float64) / keep
            extra["mask"] = mask
            dropped = x * torch.tensor(mask.astype(np.float32)).double()
        y = x @ weight.T + scaling * (dropped @ a.T) @ b.T
        dy = draw(rows, outputs)
        dx, da, db = torch.autograd.grad(y, [x, a, b], dy)
        store(
            section, {"scaling": scaling}, input=x, weight=weight, lora_a=a, lora_b=b, output=y,
            output_gradient=dy, input_gradient=dx, lora_a_gradient=da, lora_b_gradient=db, **extra,
        )


def cross_entropy():
    logits = draw(6, 5, scale=2.0)
    with torch.no_grad():
        logits[0] = torch.tensor([80.0, -80.0, 0.0, 3.0, -3.0])
        logits[1] = torch.tensor([1e4, 1e4, -1e4, 0.0, 1e4])
    targets = np.array([1, 4, 0, 2, 3, 3], dtype=np.int32)
    losses = torch.nn.functional.cross_entropy(logits, torch.tensor(targets).long(), reduction="none")
    (gradient,) = torch.autograd.grad(losses.mean(), logits)
    store(
        "cross_entropy", {"normalizer": 6.0},
        logits=logits, targets=targets, losses=losses, logits_gradient=gradient,
    )


def adamw():
    settings = {"learning_rate": 2e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01}
    stepped, skipped = draw(37), draw(21)  # `skipped` gets no gradient in the second step
    start = {"stepped": stepped.detach().clone(), "skipped": skipped.detach().clone()}
    optimizer = torch.optim.AdamW(
        [stepped, skipped], lr=settings["learning_rate"], betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"], weight_decay=settings["weight_decay"],
    )
    values = {}
    for step in range(3):
        for name, parameter in [("stepped", stepped), ("skipped", skipped)]:
            gradient = draw(*parameter.shape, scale=10.0 ** -(2 * step)).detach()
            parameter.grad = None if step == 1 and name == "skipped" else gradient
            if parameter.grad is not None:
                values[f"{name}_gradient_{step}"] = gradient
        optimizer.step()
        for name, parameter in [("stepped", stepped), ("skipped", skipped)]:
            values[f"{name}_after_{step}"] = parameter.detach().clone()
    for name, parameter in [("stepped", stepped), ("skipped", skipped)]:
        values[f"{name}_start"] = start[name]
        values[f"{name}_first_moment"] = optimizer.state[parameter]["exp_avg"]
        values[f"{name}_second_moment"] = optimizer.state[parameter]["exp_avg_sq"]
    store("adamw", settings, **values)


def dequantise():
    kinds = gguf.GGMLQuantizationType
    for kind in [kinds.F16, kinds.BF16, kinds.Q8_0, kinds.Q4_0, kinds.Q4_1]:
        values = random.standard_normal((4, 96)).astype(np.float32)
        values[1] *= 1e-3
        values[2] *= 30
        values[3, 32:64] = 0
        packed = np.ascontiguousarray(gguf.quantize(values, kind)).view(np.uint8).reshape(4, -1)
        store(
            f"dequantise_{kind.name.lower()}", {"format": kind.name},
            bytes=packed, values=gguf.dequantize(packed, kind).reshape(4, 96).astype(np.float32),
        )


def pool():
    """What an edit head reads: the last row, means over deleted and inserted rows (zeros where there are none), counters."""
    rows, width = draw(11, 33), 33
    examples = [  # last, deleted, inserted; rows of a shared beginning belong to several examples
        (4, [0, 1, 3], [2]), (7, [1], []), (10, [], [1, 8, 9, 10]), (5, [], []),
    ]
    numbers = draw(len(examples), 4).detach()
    mean = lambda places: rows[places].mean(0) if places else torch.zeros(width, dtype=torch.float64)
    read = [torch.cat([rows[last], mean(removed), mean(added)]) for last, removed, added in examples]
    y = torch.cat([torch.stack(read), numbers], 1)
    dy = draw(*y.shape)
    (drows,) = torch.autograd.grad(y, rows, dy)
    lists = [places for last, removed, added in examples for places in ([last], removed, added)]
    store(
        "pool", {"parts": 3}, rows=rows, numbers=numbers, output=y, output_gradient=dy, rows_gradient=drows,
        lengths=np.array([len(places) for places in lists], dtype=np.int32),
        places=np.array(sum(lists, []), dtype=np.int32),
    )


def layer_norm():
    epsilon = 1e-5
    # Widths on both sides of a vector register, and rows whose mean is far larger than what tells their values apart.
    for columns, scale, shift in [(15, 1.0, 0.0), (16, 1e-2, 0.5), (33, 1e3, 0.0), (64, 1.0, 30.0)]:
        x = (draw(5, columns, scale=scale) + shift).detach().float().double().requires_grad_()
        weight, bias = draw(columns), draw(columns)
        y = torch.nn.functional.layer_norm(x, (columns,), weight, bias, epsilon)
        dy = draw(5, columns)
        dx, dweight, dbias = torch.autograd.grad(y, [x, weight, bias], dy)
        store(
            f"layer_norm_{columns}", {"epsilon": epsilon}, input=x, weight=weight, bias=bias, output=y,
            output_gradient=dy, input_gradient=dx, weight_gradient=dweight, bias_gradient=dbias,
        )


def gelu():
    for section, approximate in [("gelu", "none"), ("gelu_tanh", "tanh")]:
        x = draw(7, 33, scale=2.0)
        with torch.no_grad():  # both tails
            x[0, :8] = torch.tensor([-100.0, -12.0, -5.0, -1e-6, 1e-6, 5.0, 12.0, 100.0])
        y = torch.nn.functional.gelu(x, approximate=approximate)
        dy = draw(7, 33)
        (dx,) = torch.autograd.grad(y, x, dy)
        store(section, input=x, output=y, output_gradient=dy, input_gradient=dx)


def rotary_partial():
    """Only the first values of a head turn, as in Phi-2."""
    heads, size, turned, theta = 3, 20, 8, 10000.0
    positions = np.array([0, 1, 2, 3, 4, 5, 6, 4, 4, 5, 100], dtype=np.int32)
    frequencies = theta ** -(torch.arange(0, turned, 2, dtype=torch.float64) / turned)
    angles = torch.tensor(positions).double()[:, None] * frequencies[None]
    angles = torch.cat([angles, angles], -1)[:, None]
    x = draw(len(positions), heads, size)
    first, rest = x[..., :turned], x[..., turned:]
    y = torch.cat([first * angles.cos() + rotate_half(first) * angles.sin(), rest], -1)
    dy = draw(len(positions), heads, size)
    (dx,) = torch.autograd.grad(y, x, dy)
    store(
        "rotary_partial", {"heads": heads, "head_size": size, "theta": theta}, positions=positions,
        frequencies=frequencies, input=x.flatten(1), output=y.flatten(1), output_gradient=dy.flatten(1),
        input_gradient=dx.flatten(1),
    )


for operation in [
    rms_norm, rotary, swiglu, lora_linear, cross_entropy, adamw, dequantise, pool, layer_norm, gelu, rotary_partial,
]:
    operation()
save_file(tensors, HERE / "case.safetensors")
versions = {name: metadata.version(name) for name in ["torch", "transformers", "numpy", "gguf"]}
facts = {"seed": SEED, "arithmetic": "float64, stored as float32", "versions": versions, "sections": sections}
(HERE / "case.json").write_text(json.dumps(facts, indent=1) + "\n")

"""Goldens of full fine-tuning: the tiny Llama classifiers of golden/tiny_llama with their own weights trained by PyTorch.

    python make.py

Embeddings and the final norm are frozen; all seven matrices and both norm gains of a layer train, and the head. Models,
examples, targets and the head's start are those of golden/tiny_llama. Writes case.safetensors and case.json into one
folder per case. Keys of case.safetensors read `section/name`:

    logits     of the first five examples
    loss       their mean cross-entropy
    gradients  of that loss, by transformers' names
    trace_all  ten AdamW steps, every layer training: batches, learning rates, losses, gradient norms before clipping
    trace_some the same with two other layers every three steps (a frozen parameter is not stepped at all), and the
               parameters at the end
"""

import json
import re
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, get_linear_schedule_with_warmup

HERE = Path(__file__).parent
TINY = HERE.parent / "tiny_llama"
BATCH, STEPS, WARMUP, LABELS = 5, 10, 3, 5
HEAD = "base_model.model.score.weight"
CASES = {"three_layers": {"seed": 41, "max_grad_norm": 10.0}, "six_layers": {"seed": 42, "max_grad_norm": 16.0}}


def open_case(folder):
    golden = load_file(folder / "case.safetensors")
    pad = json.loads((folder / "case.json").read_text()).get("pad")
    model = AutoModelForSequenceClassification.from_pretrained(
        folder / "model", num_labels=LABELS, dtype=torch.float32, attn_implementation="eager",
        **({} if pad is None else {"pad_token_id": pad}),
    ).eval()
    with torch.no_grad():
        model.score.weight.copy_(golden[f"adapter/{HEAD}"])
    return model, [golden[f"pool/{part}"].long() for part in ("tokens", "lengths", "targets")]


def parameters(model):
    """What trains, by transformers' names."""
    return {n: p for n, p in model.named_parameters() if layer_of(n) is not None or n == "score.weight"}


def layer_of(name):
    found = re.search(r"\.(?:layers|h)\.(\d+)\.", name)
    return int(found[1]) if found else None


def loss_of(model, tokens, lengths, targets):
    longest = int(lengths.max())
    mask = torch.arange(longest)[None] < lengths[:, None]
    result = model(input_ids=tokens[:, :longest], attention_mask=mask.long(), labels=targets)
    return result.loss, result.logits


def freeze(model, active):
    for name, parameter in model.named_parameters():
        layer = layer_of(name)
        parameter.requires_grad_(name in parameters(model) and (layer is None or bool(active[layer])))


def trace(model, data, order, active, settings):
    trained = parameters(model)
    optimizer = torch.optim.AdamW(
        trained.values(), lr=settings["learning_rate"], betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"], weight_decay=settings["weight_decay"],
    )
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    report = {"losses": [], "learning_rates": [], "gradient_norms": []}
    for indices, layers in zip(order, active):
        freeze(model, layers)
        optimizer.zero_grad(set_to_none=True)
        loss, _ = loss_of(model, *(x[indices] for x in data))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained.values(), settings["max_grad_norm"])
        report["gradient_norms"].append(norm.item())
        report["learning_rates"].append(schedule.get_last_lr()[0])
        report["losses"].append(loss.item())
        optimizer.step()
        schedule.step()
    return {name: torch.tensor(values) for name, values in report.items()}


def make(folder, case, tiny):
    """Writes the case of the classifier whose golden is in the folder `tiny`."""
    random = np.random.default_rng(case["seed"])
    model, data = open_case(tiny)
    layers = model.config.num_hidden_layers
    freeze(model, np.ones(layers))
    loss, logits = loss_of(model, *(x[:BATCH] for x in data))
    loss.backward()
    out = {"logits/logits": logits.detach(), "loss/mean": loss.detach().reshape(1)}
    out |= {f"gradients/{key}": p.grad.clone() for key, p in parameters(model).items()}

    settings = {
        "learning_rate": 2e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0,
        "max_grad_norm": case["max_grad_norm"],
    }
    traces = {"trace_all": settings, "trace_some": settings | {"weight_decay": 0.05}}
    for section, settings in traces.items():
        model, data = open_case(tiny)
        order = torch.tensor(np.array([random.choice(len(data[0]), BATCH, replace=False) for _ in range(STEPS)]))
        active = np.ones((STEPS, layers), dtype=int)
        if section == "trace_some":
            active[:] = 0
            for step in range(STEPS):
                if step % 3 == 0:
                    chosen = random.choice(layers, 2, replace=False)
                active[step, chosen] = 1
        report = trace(model, data, order, active, settings)
        norms = report["gradient_norms"]
        assert norms.min() < settings["max_grad_norm"] < norms.max(), f"clipping is not exercised: {norms}"
        assert report["losses"][-3:].mean() < report["losses"][:3].mean(), report["losses"]
        report |= {"order": order.int(), "active": torch.tensor(active).int()}
        if section == "trace_some":
            report |= {f"final.{key}": p.detach().clone() for key, p in parameters(model).items()}
        out |= {f"{section}/{key}": value for key, value in report.items()}
    folder.mkdir(exist_ok=True)
    save_file({key: value.contiguous() for key, value in out.items()}, folder / "case.safetensors")
    facts = {
        "seed": case["seed"], "arithmetic": "float32, one thread", "traces": traces,
        "versions": {name: metadata.version(name) for name in ["torch", "transformers"]},
    }
    (folder / "case.json").write_text(json.dumps(facts, indent=1) + "\n")


torch.set_num_threads(1)
if __name__ == "__main__":
    for name, case in CASES.items():
        make(HERE / name, case, TINY / name)

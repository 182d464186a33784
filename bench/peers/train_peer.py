"""transformers + PEFT on the work irtune does: the same base, the same token ids, the same layers.

    python train_peer.py --base FOLDER --data FILE [--setting …] [--method …] --out FILE

--data is JSONL, one example a line: {"tokens": [ids], "label": class}.  Batches follow the order of the file.
`--setting published` pads every example to 256 and computes in float32, as the published recipe runs.  The other
settings are the peer as an expert sets it up: scaled-dot-product attention, padding to the longest of a batch; they
differ in the numbers it computes with, and which is fastest depends on the machine.  Layers that don't train have
requires_grad off, so autograd stops at the lowest one that does.  In `--task infer` the adapters are merged into the
base before the clock starts, unless published.
"""

import argparse
import json
import os
import platform
import resource
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification, get_linear_schedule_with_warmup

TARGETS = ["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"]
# What base and adapters are, and how products are computed.
# float32: everything; float32+bfloat16-products: the same, operands rounded within oneDNN's products;
# bfloat16: everything, optimizer included; bfloat16+float32-adapters: PEFT's default, inputs of adapters are cast up;
# autocast: bfloat16 base, float32 adapters, products in 16 bit; the last also through torch.compile.
SETTINGS = [
    "published", "float32", "float32+bfloat16-products", "bfloat16", "bfloat16+float32-adapters", "autocast",
    "autocast+compile",
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="transformers folder, from export_base.py")
    parser.add_argument("--out", required=True, help="the result, JSON")
    parser.add_argument("--data", required=True, help="JSONL of token ids and labels")
    parser.add_argument("--task", choices=["train", "infer"], default="train")
    parser.add_argument("--setting", choices=SETTINGS, default="float32")
    parser.add_argument("--method", default="full", help="full, ir, lisa:N, top:N, or replay:FILE (irtune's metrics)")
    parser.add_argument("--steps", type=int, help="stop after so many; default: the file once")
    parser.add_argument("--warmup-steps", type=int, default=1, help="steps run before the clock starts")
    parser.add_argument("--at-most", type=float, default=float("inf"), help="begin no further step after so many seconds")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--alpha", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=171)
    return parser.parse_args()


def batches(options):
    """Lists of (tokens, label), in the order they run."""
    rows = [json.loads(line) for line in Path(options.data).read_text().splitlines()]
    rows = [(row["tokens"][-options.max_length :], row["label"]) for row in rows]
    result = [rows[i : i + options.batch_size] for i in range(0, len(rows), options.batch_size)]
    return result[: options.warmup_steps + options.steps] if options.steps else result


def by_length(row):
    return len(row[0])


def collate(batch, length):
    longest = length or max(map(by_length, batch))
    tokens = torch.zeros(len(batch), longest, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for row, (ids, _) in enumerate(batch):
        tokens[row, : len(ids)] = torch.tensor(ids)
        mask[row, : len(ids)] = 1
    return tokens, mask, torch.tensor([label for _, label in batch])


class Layers:
    """Which layers train in the next step."""

    def __init__(self, method, count, seed):
        self.name, _, self.argument = method.partition(":")
        self.count = count
        self.random = np.random.default_rng(seed)
        self.scores = np.full(count, 1000.0)
        self.current, self.step = set(range(count)), 0
        if self.name == "replay":
            lines = [json.loads(line) for line in Path(self.argument).read_text().splitlines()]
            self.recorded = [line if isinstance(line, list) else line.get("active_layers") for line in lines]
            self.recorded = [layers for layers in self.recorded if layers is not None]

    def choose(self):
        if self.name == "ir":
            self.current = self.split()
        elif self.name == "lisa" and self.step % 20 == 0:
            self.current = set(self.random.choice(self.count, int(self.argument), replace=False).tolist())
        elif self.name == "top":
            self.current = set(range(self.count - int(self.argument), self.count))
        elif self.name == "replay":
            self.current = set(self.recorded[self.step % len(self.recorded)])
        elif self.name not in ("full", "lisa"):
            raise SystemExit(f"unknown method {self.name}")
        self.step += 1
        return self.current

    def split(self):
        """The published rule: least summed variance of a low and a high group, the high one trains."""
        scores = self.random.random(self.count) if (self.scores == 1000).all() else self.scores
        order = np.argsort(scores, kind="stable")
        ranked = scores[order]
        costs = [ranked[:k].var() + ranked[k:].var() for k in range(1, self.count)]
        first, last = int(0.35 * self.count), int(0.65 * self.count)
        cut = costs.index(min(costs[first : last + 1]))
        return set(order[cut:].tolist())

    def observe(self, adapters):
        for layer in self.current if self.name == "ir" else ():
            roots = [min(parameter.grad.norm().item() ** 0.5, 1e3) for parameter in adapters[layer]]
            self.scores[layer] = sum(1e3 if np.isnan(root) else root for root in roots) ** 0.5


def load(options, labels):
    sixteen = options.setting.startswith(("bfloat16", "autocast"))
    model = AutoModelForSequenceClassification.from_pretrained(
        options.base, num_labels=labels, dtype=torch.bfloat16 if sixteen else torch.float32, attn_implementation="sdpa",
    )
    model.config.use_cache = False
    model.config.pad_token_id = 0
    adapter = LoraConfig(
        task_type="SEQ_CLS", r=options.rank, lora_alpha=options.alpha, lora_dropout=options.dropout,
        target_modules=TARGETS,
    )
    model = get_peft_model(model, adapter, autocast_adapter_dtype=options.setting != "bfloat16")
    merged = options.task == "infer" and options.setting != "published"
    return model.merge_and_unload() if merged else model


def run(options):
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    if options.setting == "float32+bfloat16-products":
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    config = json.loads((Path(options.base) / "config.json").read_text())
    work = batches(options)
    model = load(options, max(5, 1 + max(label for batch in work for _, label in batch)))
    adapters = [[] for _ in range(config["num_hidden_layers"])]
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            adapters[int(name.split(".layers.")[1].split(".")[0])].append(parameter)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.learning_rate, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, 100, 1000)
    layers = Layers(options.method, len(adapters), options.seed)
    published = options.setting == "published"
    forward = torch.compile(model, dynamic=True) if "compile" in options.setting else model
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled="autocast" in options.setting)
    training = options.task == "train"
    model.train(training)

    steps, losses, first_step = [], [], None
    begun = time.perf_counter()
    for step, batch in enumerate(work):
        start = time.perf_counter()
        if step and start - begun > options.at_most:
            break
        ids, mask, targets = collate(batch, options.max_length if published else None)
        if training:
            chosen = layers.choose()
            for layer, parameters in enumerate(adapters):
                for parameter in parameters:
                    parameter.requires_grad_(layer in chosen)
            optimizer.zero_grad(set_to_none=True)
        with torch.set_grad_enabled(training), autocast:
            loss = forward(input_ids=ids, attention_mask=mask, labels=targets).loss
        if training:
            loss.backward()
            layers.observe(adapters)
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
        losses.append(loss.item())
        first_step = first_step or time.time()
        steps.append((time.perf_counter() - start, len(batch), int(mask.sum()), mask.numel()))
    # A run that was broken off in its warm-up is measured by that.
    seconds, examples, tokens, padded = zip(*(steps[options.warmup_steps :] or steps))
    total = sum(seconds)
    return {
        "examples_per_second": sum(examples) / total, "tokens_per_second": sum(tokens) / total,
        "examples": sum(examples), "tokens": sum(tokens), "tokens_with_padding": sum(padded),
        "step_seconds": seconds, "losses": losses,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "first_step_unix_seconds": first_step,
        "setting": options.setting, "threads": options.threads, "cpu": cpu(), "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ["torch", "transformers", "peft"]},
    }


def cpu():
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return next((line.split(":")[1].strip() for line in text.splitlines() if "model name" in line), platform.machine())


def write(path, result):
    partial = Path(f"{path}.partial")
    partial.write_text(json.dumps(result, indent=1) + "\n")
    partial.replace(path)


if __name__ == "__main__":
    given = arguments()
    write(given.out, run(given))

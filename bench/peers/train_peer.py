"""transformers + PEFT on the work irtune does: the same base, the same token ids, the same layers.

    python train_peer.py --base FOLDER (--dense 16x112 | --data FILE) [--mode published|best] [--method …] --out FILE

--data is JSONL, one example a line: {"tokens": [ids], "label": class}.  Batches follow the order of the file.
`--mode published` pads every example to 256 and computes in float32, as the published recipe runs.  `--mode best` is
the peer as an expert sets it up: bfloat16 base, scaled-dot-product attention, padding to the longest of a batch,
batches grouped by length; how its adapters compute is chosen by `--adapters`, and `--sweep` tries every choice but
torch.compile in a process of its own and keeps the fastest.  Layers that don't train have requires_grad off, so autograd stops at the
lowest one that does.
"""

import argparse
import json
import os
import platform
import random
import resource
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification, get_linear_schedule_with_warmup

TARGETS = ["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"]
# float32: PEFT's default, inputs are cast up; bfloat16: adapters and their optimizer in 16 bit;
# autocast: float32 adapters, products in 16 bit; the last also through torch.compile.
ADAPTERS = ["float32", "bfloat16", "autocast", "autocast+compile"]
GROUP = 50  # batches sorted by length together, transformers' own number


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="transformers folder, from export_base.py")
    parser.add_argument("--out", required=True, help="the result, JSON")
    work = parser.add_mutually_exclusive_group(required=True)
    work.add_argument("--data", help="JSONL of token ids and labels")
    work.add_argument("--dense", help="EXAMPLESxTOKENS of random ids, such as 16x112")
    parser.add_argument("--task", choices=["train", "infer"], default="train")
    parser.add_argument("--mode", choices=["published", "best"], default="best")
    parser.add_argument("--adapters", choices=ADAPTERS, default="autocast")
    parser.add_argument("--sweep", action="store_true", help="try --adapters, each for three steps, run the fastest")
    parser.add_argument("--method", default="full", help="full, ir, lisa:N, top:N, or replay:FILE (irtune's metrics)")
    parser.add_argument("--steps", type=int, help="stop after so many; default: the file once, or 5 of dense work")
    parser.add_argument("--warmup-steps", type=int, default=1, help="steps run before the clock starts")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--alpha", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--labels", type=int, help="number of classes; default: as the data says, 5 for dense work")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=171)
    return parser.parse_args()


def batches(options, vocabulary):
    """Lists of (tokens, label), in the order they run."""
    size = options.batch_size
    if options.dense:
        count, length = map(int, options.dense.split("x"))
        generator = random.Random(options.seed)
        draw = lambda: ([generator.randrange(vocabulary) for _ in range(length)], generator.randrange(5))
        steps = options.warmup_steps + (options.steps or 5)
        return [[draw() for _ in range(count)] for _ in range(steps)]
    rows = [json.loads(line) for line in Path(options.data).read_text().splitlines()]
    rows = [(row["tokens"][-options.max_length :], row["label"]) for row in rows]
    if options.mode == "best":
        window = len(rows) if options.task == "infer" else GROUP * size
        rows = [row for i in range(0, len(rows), window) for row in sorted(rows[i : i + window], key=by_length)]
    result = [rows[i : i + size] for i in range(0, len(rows), size)]
    if options.mode == "best" and options.task == "train":
        random.Random(options.seed).shuffle(result)
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
    best = options.mode == "best"
    model = AutoModelForSequenceClassification.from_pretrained(
        options.base, num_labels=labels, dtype=torch.bfloat16 if best else torch.float32, attn_implementation="sdpa",
    )
    model.config.use_cache = False
    model.config.pad_token_id = 0
    adapter = LoraConfig(
        task_type="SEQ_CLS", r=options.rank, lora_alpha=options.alpha, lora_dropout=options.dropout,
        target_modules=TARGETS,
    )
    return get_peft_model(model, adapter, autocast_adapter_dtype=not (best and options.adapters == "bfloat16"))


def run(options):
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    config = json.loads((Path(options.base) / "config.json").read_text())
    work = batches(options, config["vocab_size"])
    labels = options.labels or max(5, 1 + max(label for batch in work for _, label in batch))
    model = load(options, labels)
    adapters = [[] for _ in range(config["num_hidden_layers"])]
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            adapters[int(name.split(".layers.")[1].split(".")[0])].append(parameter)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.learning_rate, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, 100, max(1000, len(work)))
    layers = Layers(options.method, len(adapters), options.seed)
    best = options.mode == "best"
    forward = torch.compile(model, dynamic=True) if best and "compile" in options.adapters else model
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=best and "autocast" in options.adapters)
    training = options.task == "train"
    model.train(training)

    seconds, losses, tokens, padded = [], [], 0, 0
    for step, batch in enumerate(work):
        start = time.perf_counter()
        ids, mask, targets = collate(batch, None if best or options.dense else options.max_length)
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
        if step >= options.warmup_steps:
            seconds.append(time.perf_counter() - start)
            tokens += int(mask.sum())
            padded += mask.numel()
    examples = sum(len(batch) for batch in work[options.warmup_steps :])
    total = sum(seconds)
    return {
        "examples_per_second": examples / total, "tokens_per_second": tokens / total, "examples": examples,
        "tokens": tokens, "tokens_with_padding": padded, "step_seconds": seconds, "losses": losses,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "settings": vars(options),
        "cpu": cpu(), "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ["torch", "transformers", "peft"]},
    }


def cpu():
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    return next((line.split(":")[1].strip() for line in text.splitlines() if "model name" in line), platform.machine())


def sweep(options):
    """Every eager choice of --adapters in its own process; the fastest runs in full. A choice that fails is told, not hidden."""
    common = [argument for argument in sys.argv[1:] if argument != "--sweep"]
    speeds = {}
    for choice in ADAPTERS[:3]:
        out = f"{options.out}.{choice}"
        command = [sys.executable, __file__, *common, "--adapters", choice, "--out", out]
        if subprocess.run([*command, "--steps", "3"]).returncode == 0:
            speeds[choice] = json.loads(Path(out).read_text())["examples_per_second"]
            Path(out).unlink()
    if not speeds:
        raise SystemExit("no setting of the peer ran")
    chosen = max(speeds, key=speeds.get)
    subprocess.run([sys.executable, __file__, *common, "--adapters", chosen], check=True)
    result = json.loads(Path(options.out).read_text()) | {"sweep": speeds}
    write(options.out, result)


def write(path, result):
    partial = Path(f"{path}.partial")
    partial.write_text(json.dumps(result, indent=1) + "\n")
    partial.replace(path)


if __name__ == "__main__":
    given = arguments()
    if given.sweep and given.mode == "best":
        sweep(given)
    else:
        write(given.out, run(given))

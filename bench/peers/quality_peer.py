"""How long transformers + PEFT take to which macro-F1: LoRA on all layers, measured on validation pairs each epoch.

    python quality_peer.py --base FOLDER --train INPUTS PAIRS --validation INPUTS PAIRS --out FILE

INPUTS is what `irtune predict --inputs` writes of PAIRS, JSONL of labelled pairs.  The peer is set up as in
train_peer.py: padding to the longest of a batch, batches grouped by length in windows of 50, the fastest setting.
The clock runs over steps and evaluations; loading is left out.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score
from transformers import get_linear_schedule_with_warmup

import train_peer


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="transformers folder, from export_base.py")
    parser.add_argument("--train", required=True, nargs=2)
    parser.add_argument("--validation", required=True, nargs=2)
    parser.add_argument("--label-column", default="label")
    parser.add_argument("--out", required=True)
    parser.add_argument("--setting", choices=train_peer.SETTINGS, default="bfloat16+float32-adapters")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument("--warmup-share", type=float, default=0.1)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--alpha", type=int, default=64)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=171)
    return parser.parse_args()


def lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def examples(files, column):
    """Token ids and the label's name of each pair."""
    inputs, pairs = map(lines, files)
    return [(row["tokens"], pair[column]) for row, pair in zip(inputs, pairs, strict=True)]


def grouped(examples, size, random, window=50):
    """Batches of examples of about the same length, shuffled."""
    order = random.permutation(len(examples))
    batches = []
    for start in range(0, len(order), size * window):
        near = sorted(order[start : start + size * window], key=lambda index: len(examples[index][0]))
        batches += [[examples[index] for index in near[i : i + size]] for i in range(0, len(near), size)]
    random.shuffle(batches)
    return batches


def evaluate(model, examples, autocast):
    model.eval()
    said = np.zeros(len(examples), dtype=int)
    order = sorted(range(len(examples)), key=lambda index: len(examples[index][0]))
    with torch.no_grad(), autocast:
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            ids, mask, _ = train_peer.collate([examples[index] for index in part], None)
            said[part] = model(input_ids=ids, attention_mask=mask).logits.float().argmax(-1).numpy()
    model.train()
    true = [label for _, label in examples]
    return {"accuracy": accuracy_score(true, said), "macro_f1": f1_score(true, said, average="macro")}


def run(options):
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    random = np.random.default_rng(options.seed)
    named = [examples(files, options.label_column) for files in (options.train, options.validation)]
    labels = sorted({label for _, label in named[0]})
    train, validation = ([(tokens, labels.index(label)) for tokens, label in part] for part in named)
    options.task = "train"
    model = train_peer.load(options, len(labels))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=options.learning_rate, weight_decay=0.0)
    steps = options.epochs * -(-len(train) // options.batch_size)
    schedule = get_linear_schedule_with_warmup(optimizer, round(options.warmup_share * steps), steps)
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled="autocast" in options.setting)
    model.train()
    evaluations, begun = [], time.perf_counter()
    for epoch in range(options.epochs):
        for batch in grouped(train, options.batch_size, random):
            ids, mask, targets = train_peer.collate(batch, None)
            optimizer.zero_grad(set_to_none=True)
            with autocast:
                loss = model(input_ids=ids, attention_mask=mask, labels=targets).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            schedule.step()
        stepped = time.perf_counter() - begun
        figures = evaluate(model, validation, autocast)
        seconds = time.perf_counter() - begun
        evaluations.append({"epoch": epoch + 1, "stepped_seconds": stepped, "seconds": seconds} | figures)
        print(json.dumps(evaluations[-1]), flush=True)
    return {"evaluations": evaluations, "options": vars(options), "cpu": train_peer.cpu()}


if __name__ == "__main__":
    given = arguments()
    train_peer.write(given.out, run(given))

"""Trains every tiny model of every family with the irtune program, and loads what it leaves with PEFT and transformers.

    python round_trip.py target/release/irtune [CASE …]

Each case is trained from its folder and from its GGUF, once with each kind of adapter that PEFT has, once with its own
weights, and once as a model whose pairs can have several labels. An adapter is loaded with PEFT over the folder; what `irtune merge` makes of each run is loaded with transformers
alone (bench/peers/check_adapter.py and check_merged.py). Prints the largest difference of a probability for each, and
exits with 1 beyond 2e-6.
"""

import contextlib
import io
import json
import re
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent.parent / "bench" / "peers"
LABELS = {"fluency": "The {} are old.|The {} is old.", "clarity": "It is the {} we see.|We see the {}."}
# In every family: what a base keeps in one matrix has one adapter, and the gate of an MLP without one has none.
ALL = "q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj"
KINDS = {
    "lora": ["--adapter", "lora", "--target-modules", ALL],
    "dora": ["--adapter", "dora", "--target-modules", ALL],
    "ia3": ["--adapter", "ia3", "--target-modules", ALL],
    "weights": ["--tune", "weights"],
    "several": ["--adapter", "lora", "--target-modules", ALL, "--multi-label", "true"],
}
LIMIT = 2e-6


def write_pairs(path):
    with path.open("w") as file:
        for noun in ["river", "garden", "engine", "letter", "window", "market", "harbour", "café"]:
            for label, texts in LABELS.items():
                original, revised = texts.format(noun, noun).split("|")
                file.write(json.dumps({"original": original, "revised": revised, "label": label}) + "\n")


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def difference(script, *arguments):
    """What a script of bench/peers measures, run in this process: loading PyTorch takes longer than its work."""
    sys.argv = [script, *map(str, arguments)]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        runpy.run_path(str(PEERS / script))
    return float(re.search(r"largest difference of a probability (\S+)", said.getvalue())[1])


def main(program, chosen):
    worst = 0.0
    print(f"{'case':<14} {'base':<10} {'trained':<8} {'PEFT':>9} {'merged':>9}")
    for case in sorted(path.parent for path in HERE.glob("*/*/case.json")):
        if chosen and "/".join(case.parts[-2:]) not in chosen:
            continue
        for base in (name for name in ["model", "model.gguf"] if (case / name).exists()):
            for kind, options in KINDS.items():
                with tempfile.TemporaryDirectory() as place:
                    place = Path(place)
                    pairs, out, merged = place / "pairs.jsonl", place / "run", place / "merged"
                    write_pairs(pairs)
                    run(program, "train", "--base", case / base, "--train", pairs, "--validation", pairs, "--out", out,
                        "--method", "full", "--precision", "f32", "--prompt", "instruction", "--head", "pooled", "--stack", "false",
                        "--max-length", 256, "--max-steps", 6, "--learning-rate", "5e-3", "--batch-size", 4, *options)
                    predictions = place / "predictions.jsonl"
                    said = run(program, "predict", "--run", out, "--data", pairs, "--precision", "f32", "--uncalibrated")
                    predictions.write_text(said)
                    run(program, "merge", "--run", out, "--out", merged)
                    found = {"merged": difference("check_merged.py", merged, pairs, predictions)}
                    if kind != "weights":
                        found["PEFT"] = difference("check_adapter.py", out, case / "model", pairs, predictions)
                    worst = max(worst, *found.values())
                    shown = [f"{found[name]:.1e}" if name in found else "" for name in ["PEFT", "merged"]]
                    print(f"{'/'.join(case.parts[-2:]):<14} {base:<10} {kind:<8} {shown[0]:>9} {shown[1]:>9}", flush=True)
    print(f"largest difference {worst:.1e}")
    sys.exit(worst > LIMIT)


torch.set_num_threads(1)
main(Path(sys.argv[1]).resolve(), sys.argv[2:])

"""Cosines between the layers' inputs and outputs of the tiny Llamas of golden/tiny_llama, by transformers in float32.

    python make.py

Writes case.json beside this file: for every case the cosine of every layer on the first five examples. Inputs and
outputs are averaged over the examples at each position that any of them reaches, the cosines over the positions. Of
the last layer only the output at each example's last position counts, since a classifier reads nothing else.
"""

import json
from importlib import metadata
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import LlamaModel

HERE = Path(__file__).parent
EXAMPLES = 5


def streams(model, tokens):
    """Input and output of every layer, each [positions, hidden]."""
    found = []
    hooks = [
        layer.register_forward_hook(
            lambda _, inputs, output: found.append(
                (inputs[0][0], (output if torch.is_tensor(output) else output[0]).reshape(inputs[0].shape)[0])
            )
        )
        for layer in model.layers
    ]
    with torch.no_grad():
        model(input_ids=tokens[None])
    for hook in hooks:
        hook.remove()
    return found


def cosine(pairs):
    """Mean over positions; `pairs` holds for each example a dictionary from position to (input, output)."""
    cosines = []
    for position in sorted({position for pair in pairs for position in pair}):
        reached = [pair[position] for pair in pairs if position in pair]
        before, after = (torch.stack(side).double().mean(0) for side in zip(*reached))
        cosines.append(torch.nn.functional.cosine_similarity(before, after, dim=0).item())
    return sum(cosines) / len(cosines)


def main():
    cases = {}
    for case in ("three_layers", "six_layers"):
        folder = HERE.parent / "tiny_llama" / case
        model = LlamaModel.from_pretrained(folder / "model", dtype=torch.float32).eval()
        pool = load_file(folder / "case.safetensors")
        lengths = pool["pool/lengths"].tolist()[:EXAMPLES]
        tokens = [pool["pool/tokens"][i, :length].long() for i, length in enumerate(lengths)]
        runs = [streams(model, own) for own in tokens]
        cases[case] = []
        for layer in range(len(model.layers)):
            last = layer + 1 == len(model.layers)
            pairs = [
                {p: (run[layer][0][p], run[layer][1][p]) for p in range(len(own)) if not last or p + 1 == len(own)}
                for run, own in zip(runs, tokens)
            ]
            cases[case].append(cosine(pairs))
    versions = {name: metadata.version(name) for name in ("torch", "transformers")}
    case = {"versions": versions, "examples": EXAMPLES, "cosines": cases}
    (HERE / "case.json").write_text(json.dumps(case, indent=1) + "\n")


if __name__ == "__main__":
    main()

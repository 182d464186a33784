"""Signal-to-noise ratios of matrices and norms, by torch in float64, from the formulas of Spectrum.

    python make.py

Writes case.json beside this file: some matrices with their singular values and ratios, and for every layer of the
tiny Llama of golden/tiny_llama/six_layers the mean ratio of its seven matrices and the norm of its output projection.
"""

import json
from importlib import metadata
from pathlib import Path

import torch
from safetensors.torch import load_file

HERE = Path(__file__).parent
SEED = 20253


def ratio(matrix):
    values = torch.linalg.svdvals(matrix.double())
    spread = torch.quantile(values, 0.75) - torch.quantile(values, 0.25)
    shape = sorted(matrix.shape)
    edge = spread / 1.349 * (1 + (shape[0] / shape[1]) ** 0.5)
    noise = values[values <= edge]
    noise = noise.sum() if len(noise) else torch.tensor(1.0, dtype=torch.float64)
    return (values[values > edge].sum() / noise / values[0]).item()


def main():
    generator = torch.Generator().manual_seed(SEED)
    matrices = []
    for rows, columns, strong in ((5, 9, 1), (16, 16, 0), (33, 12, 3), (1, 7, 0), (8, 200, 0)):
        matrix = torch.randn(rows, columns, generator=generator)
        for _ in range(strong):
            matrix += 2 * torch.outer(torch.randn(rows, generator=generator), torch.randn(columns, generator=generator))
        values = torch.linalg.svdvals(matrix.double()).flip(0).tolist()
        matrices.append(
            {"shape": [rows, columns], "values": matrix.flatten().tolist(), "singular": values, "ratio": ratio(matrix)}
        )
    weights = load_file(HERE.parent / "tiny_llama" / "six_layers" / "model" / "model.safetensors")
    layers = []
    for layer in range(6):
        names = [name for name in weights if f"layers.{layer}." in name and name.endswith("proj.weight")]
        assert len(names) == 7, names
        output = next(weights[name] for name in names if "o_proj" in name)
        mean = sum(ratio(weights[name]) for name in names) / 7
        layers.append({"ratio": mean, "output_norm": output.double().norm().item()})
    case = {
        "versions": {"torch": metadata.version("torch")},
        "seed": SEED,
        "matrices": matrices,
        "layers": layers,
    }
    (HERE / "case.json").write_text(json.dumps(case, separators=(",", ":")).replace('{"shape"', '\n{"shape"') + "\n")


if __name__ == "__main__":
    main()

"""Confident learning as cleanlab does it.

Writes case.json beside this file: made-up labels, some of them flipped, probabilities, and what cleanlab finds in them:
thresholds, the confident joint (not calibrated), and the label issues with their normalised margins. Run: python make.py
"""

import importlib.metadata
import json
import pathlib
import platform

import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_normalized_margin_for_each_label

SEED = 20255


def case(name, examples, classes, skill, flipped, generator, shares=None):
    truth = generator.choice(classes, size=examples, p=shares)
    labels = np.where(generator.random(examples) < flipped, generator.integers(classes, size=examples), truth)
    logits = generator.normal(0.0, 1.0, (examples, classes))
    logits[np.arange(examples), truth] += skill
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = find_label_issues(
        labels,
        probabilities,
        filter_by="confident_learning",
        return_indices_ranked_by="normalized_margin",
    )
    margins = get_normalized_margin_for_each_label(labels, probabilities)
    return {
        "name": name,
        "classes": classes,
        "labels": labels.tolist(),
        "probabilities": probabilities.ravel().tolist(),
        "thresholds": get_confident_thresholds(labels, probabilities).tolist(),
        "joint": compute_confident_joint(labels, probabilities, calibrate=False).tolist(),
        "issues": [{"example": int(example), "margin": float(margins[example])} for example in found],
    }


def main():
    generator = np.random.default_rng(SEED)
    cases = [
        case("three labels", 120, 3, 3.0, 0.1, generator),
        case("five labels, unequal", 200, 5, 2.0, 0.2, generator, [0.5, 0.2, 0.15, 0.1, 0.05]),
        case("a weak model", 150, 4, 0.5, 0.3, generator),
        case("two labels", 80, 2, 2.0, 0.15, generator),
    ]
    result = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "cleanlab": importlib.metadata.version("cleanlab"),
        },
        "seed": SEED,
        "tolerance": 1e-12,
        "cases": cases,
    }
    text = json.dumps(result, allow_nan=False, separators=(",", ":")).replace('{"name"', '\n{"name"')
    pathlib.Path(__file__).with_name("case.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

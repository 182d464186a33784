"""Figures of probabilities as scikit-learn computes them, and temperatures as PyTorch fits them.

Writes case.json beside this file: made-up labels and logits, the temperature of each case, and figures of its plain
probabilities, also for resampled examples. Run: python make.py
"""

import json
import pathlib
import platform

import numpy as np
import sklearn
import torch
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

SEED = 20253
BINS = 15


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def temperature(labels, logits):
    """As in the code of Guo et al., but in double precision and until nothing moves."""
    value = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    options = {"lr": 0.1, "max_iter": 20000, "tolerance_grad": 1e-15, "tolerance_change": 1e-15}
    optimizer = torch.optim.LBFGS([value], line_search_fn="strong_wolfe", **options)
    logits, labels = torch.tensor(logits), torch.tensor(labels)

    def loss():
        optimizer.zero_grad()
        result = torch.nn.functional.cross_entropy(logits / value, labels)
        result.backward()
        return result

    optimizer.step(loss)
    return value.item()


def calibration_error(right, sure, strategy):
    """The error from the curve, whose empty bins are left out, and the counts of the bins."""
    edges = np.linspace(0, 1, BINS + 1)
    edges = edges if strategy == "uniform" else np.percentile(sure, edges * 100)
    counts = np.bincount(np.searchsorted(edges[1:-1], sure), minlength=BINS)
    accuracy, confidence = calibration_curve(right, sure, n_bins=BINS, strategy=strategy)
    error = float(np.sum(counts[counts > 0] * np.abs(accuracy - confidence)) / len(sure))
    return {
        "error": error,
        "counts": counts.tolist(),
        "accuracy": accuracy.tolist(),
        "confidence": confidence.tolist(),
    }


def guo(right, sure):
    """The error as in the code of Guo et al."""
    edges, error = torch.linspace(0, 1, BINS + 1, dtype=torch.float64), 0.0
    right, sure = torch.tensor(right, dtype=torch.float64), torch.tensor(sure)
    for low, high in zip(edges[:-1], edges[1:]):
        inside = sure.gt(low) & sure.le(high)
        if inside.any():
            gap = torch.abs(sure[inside].mean() - right[inside].mean())
            error += (gap * inside.double().mean()).item()
    return error


def risk_coverage_area(right, sure, generator):
    """The mean risk of the surest 1, 2, ... examples, over orders of equal ones."""
    areas = []
    for _ in range(1 if len(np.unique(sure)) == len(sure) else 20000):
        order = np.lexsort((generator.random(len(sure)), -sure))
        risks = np.cumsum(~right[order]) / np.arange(1, len(sure) + 1)
        areas.append(risks.mean())
    return float(np.mean(areas))


def figures(labels, probabilities):
    everything = range(probabilities.shape[1])
    answers = probabilities.argmax(axis=1)
    right, sure = answers == labels, probabilities.max(axis=1)
    uniform = calibration_error(right, sure, "uniform")
    assert abs(uniform["error"] - guo(right, sure)) < 1e-12
    return {
        "log_loss": float(log_loss(labels, probabilities, labels=everything)),
        "brier": float(brier_score_loss(labels, probabilities, labels=everything, scale_by_half=False)),
        "uniform": uniform,
        "quantile": calibration_error(right, sure, "quantile"),
    }


def case(name, labels, logits, generator):
    probabilities = softmax(logits)
    weights = np.bincount(generator.integers(len(labels), size=len(labels)), minlength=len(labels))
    repeated = np.repeat(probabilities, weights, axis=0)
    right = repeated.argmax(axis=1) == np.repeat(labels, weights)
    sure = probabilities.max(axis=1)
    ties = len(np.unique(sure)) < len(sure)
    return {
        "name": name,
        "classes": logits.shape[1],
        "labels": labels.tolist(),
        "logits": logits.ravel().tolist(),
        "temperature": temperature(labels, logits),
        "figures": figures(labels, probabilities),
        "weights": weights.tolist(),
        "resampled_error": calibration_error(right, repeated.max(axis=1), "uniform")["error"],
        "area": risk_coverage_area(probabilities.argmax(axis=1) == labels, sure, generator),
        # Orders of equal probabilities are drawn.
        "area_tolerance": 1e-4 if ties else 1e-12,
    }


def cases(generator):
    def random(examples, classes, scale, skill=1.0):
        labels = generator.integers(classes, size=examples)
        logits = generator.normal(0.0, 1.0, (examples, classes))
        logits[np.arange(examples), labels] += skill
        return labels, scale * logits

    yield case("too sure", *random(200, 5, 4.0), generator)
    yield case("not sure enough", *random(200, 5, 0.3), generator)
    yield case("two classes", *random(80, 2, 1.5), generator)
    yield case("few examples", *random(9, 3, 2.0), generator)
    labels, logits = random(300, 4, 2.0)
    yield case("ties", labels, np.round(logits), generator)
    labels, logits = random(120, 6, 3.0, 2.0)
    yield case("single precision", labels, logits.astype(np.float32).astype(np.float64), generator)


def main():
    generator = np.random.default_rng(SEED)
    result = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "torch": torch.__version__,
        },
        "seed": SEED,
        "tolerance": 1e-9,
        "cases": list(cases(generator)),
    }
    text = json.dumps(result, allow_nan=False, separators=(",", ":")).replace('{"name"', '\n{"name"')
    pathlib.Path(__file__).with_name("case.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

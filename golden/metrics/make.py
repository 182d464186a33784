"""Classification metrics as scikit-learn computes them.

Writes case.json beside this file: made-up labels and probabilities, every metric of them, the same for resampled examples, and percentiles. Run: python make.py
"""

import json
import pathlib
import platform
import warnings

import numpy as np
import sklearn
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    hamming_loss,
    precision_recall_fscore_support,
)

SEED = 20252


def measure(labels, probabilities):
    classes = probabilities.shape[1]
    everything = range(classes)
    predicted = probabilities.argmax(axis=1)
    options = {"labels": everything, "zero_division": 0}
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted, **options)
    # Macro figures are over the labels that scikit-learn finds by itself, in truth or prediction.
    macro = precision_recall_fscore_support(labels, predicted, average="macro", zero_division=0)
    one_hot = np.eye(classes, dtype=int)[labels]
    area = average_precision_score(one_hot, probabilities, average=None)
    return {
        "accuracy": float(accuracy_score(labels, predicted)),
        "macro_precision": float(macro[0]),
        "macro_recall": float(macro[1]),
        "macro_f1": float(macro[2]),
        # Without an example of a label it is not defined.
        "macro_average_precision": float(np.atleast_1d(area)[support > 0].mean()),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "average_precision": np.atleast_1d(area).tolist(),
        "support": support.astype(int).tolist(),
        "predicted": np.bincount(predicted, minlength=classes).tolist(),
        "confusion": confusion_matrix(labels, predicted, labels=everything).tolist(),
    }


def measure_several(truth, predicted, probabilities):
    """Of examples that can have several labels: indicator matrices."""
    averages = {
        average: precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)
        for average in (None, "macro", "micro", "samples")
    }
    precision, recall, f1, support = averages[None]
    return {
        "accuracy": float(accuracy_score(truth, predicted)),
        "hamming_loss": float(hamming_loss(truth, predicted)),
        "macro_precision": float(averages["macro"][0]),
        "macro_recall": float(averages["macro"][1]),
        "macro_f1": float(averages["macro"][2]),
        "micro_precision": float(averages["micro"][0]),
        "micro_recall": float(averages["micro"][1]),
        "micro_f1": float(averages["micro"][2]),
        "samples_f1": float(averages["samples"][2]),
        "macro_average_precision": float(average_precision_score(truth, probabilities, average="macro")),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "average_precision": average_precision_score(truth, probabilities, average=None).tolist(),
        "support": support.astype(int).tolist(),
        "predicted": predicted.sum(axis=0).tolist(),
    }


def several(name, generator, examples, classes, share, threshold):
    truth = (generator.random((examples, classes)) < share).astype(int)
    logits = generator.normal(0.0, 1.0, truth.shape) + 1.5 * truth - 1.0
    probabilities = np.round(1 / (1 + np.exp(-logits)), 2)
    if name == "a label absent":
        truth[:, 1] = 0
    predicted = (probabilities >= threshold).astype(int)
    return {
        "name": name,
        "classes": classes,
        "truth": truth.ravel().tolist(),
        "predicted": predicted.ravel().tolist(),
        "probabilities": probabilities.ravel().tolist(),
        "metrics": measure_several(truth, predicted, probabilities),
    }


def several_cases(generator):
    yield several("few labels an example", generator, 120, 5, 0.25, 0.5)
    yield several("many labels an example", generator, 80, 4, 0.7, 0.3)
    yield several("a label absent", generator, 60, 3, 0.3, 0.5)
    yield several("nothing given", generator, 40, 3, 0.2, 1.1)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def case(name, labels, probabilities, generator, resamples=0):
    labels = np.asarray(labels)
    probabilities = np.asarray(probabilities)
    weights = [
        np.bincount(generator.integers(len(labels), size=len(labels)), minlength=len(labels))
        for _ in range(resamples)
    ]
    return {
        "name": name,
        "classes": probabilities.shape[1],
        "labels": labels.tolist(),
        "probabilities": probabilities.ravel().tolist(),
        "metrics": measure(labels, probabilities),
        "resampled": [
            {
                "weights": weight.tolist(),
                "metrics": measure(np.repeat(labels, weight), np.repeat(probabilities, weight, axis=0)),
            }
            for weight in weights
        ],
    }


def cases(generator):
    def random(examples, classes, skill=1.0):
        labels = generator.integers(classes, size=examples)
        logits = generator.normal(0.0, 1.0, (examples, classes))
        logits[np.arange(examples), labels] += skill
        return labels, softmax(logits)

    labels, probabilities = random(60, 2)
    yield case("two classes", labels, probabilities, generator, 3)
    labels, probabilities = random(200, 6)
    yield case("six classes", labels, probabilities, generator, 3)
    single = probabilities.astype(np.float32).astype(np.float64)
    yield case("six classes, single precision", labels, single, generator)
    labels, probabilities = random(80, 4)
    yield case("coarse probabilities that tie", labels, np.round(probabilities, 1), generator, 3)
    yield case("all probabilities equal", [0, 1, 2, 1, 0, 1], np.full((6, 3), 1 / 3), generator)
    labels, probabilities = random(50, 5)
    labels[labels == 3] = 0
    yield case("a class absent from the labels", labels, probabilities, generator, 2)
    labels, probabilities = random(50, 5)
    probabilities[:, 2] *= 0.01
    yield case("a class never predicted", labels, probabilities, generator, 2)
    yield case("one example, right", [1], [[0.2, 0.7, 0.1]], generator)
    yield case("one example, wrong", [0], [[0.2, 0.7, 0.1]], generator)
    yield case("one class", [0, 0], [[1.0], [1.0]], generator)
    labels, probabilities = random(40, 3, 50.0)
    yield case("everything right", labels, probabilities, generator)
    labels, probabilities = random(40, 3, -50.0)
    yield case("everything wrong", labels, probabilities, generator)


def main():
    generator = np.random.default_rng(SEED)
    percentiles = []
    for count in (1, 2, 7, 1000):
        numbers = np.sort(generator.normal(size=count))
        shares = [0.0, 0.025, 0.25, 0.5, 0.975, 1.0]
        percentiles.append(
            {
                "ascending": numbers.tolist(),
                "shares": shares,
                "values": np.percentile(numbers, [100 * share for share in shares]).tolist(),
            }
        )
    with warnings.catch_warnings():
        # A class without positive examples has average precision 0, which scikit-learn warns about.
        warnings.simplefilter("ignore", UserWarning)
        everything = list(cases(generator))
        of_several = list(several_cases(np.random.default_rng(SEED + 1)))
    result = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
        },
        "seed": SEED,
        "tolerance": 1e-9,
        "cases": everything,
        "several": of_several,
        "percentiles": percentiles,
    }
    text = json.dumps(result, allow_nan=False, separators=(",", ":")).replace('{"name"', '\n{"name"')
    pathlib.Path(__file__).with_name("case.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

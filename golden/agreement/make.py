"""Agreement of annotators as scikit-learn, statsmodels and krippendorff compute it.

Writes case.json beside this file: Cohen's kappa of every two annotators, Fleiss' kappa, Krippendorff's alpha, and the
human ceiling, each annotator against the others' majority. Run: python make.py
"""

import importlib.metadata
import itertools
import json
import pathlib
import platform

import krippendorff
import numpy as np
import sklearn
import statsmodels
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

SEED = 20254
MISSING = -1


def ceiling(table, classes):
    """Mean accuracy and macro-F1 of one against the others; tied majorities are rows of equal shares."""
    figures = []
    for annotator in range(table.shape[1]):
        true, given, weight = [], [], []
        for row in table:
            others = np.bincount([x for i, x in enumerate(row) if i != annotator and x != MISSING], minlength=classes)
            if row[annotator] == MISSING or others.max() == 0:
                continue
            majority = np.flatnonzero(others == others.max())
            true.extend(majority)
            given.extend([row[annotator]] * len(majority))
            weight.extend([1 / len(majority)] * len(majority))
        if true:
            figures.append(
                (
                    accuracy_score(true, given, sample_weight=weight),
                    f1_score(
                        true,
                        given,
                        sample_weight=weight,
                        average="macro",
                        zero_division=0,
                    ),
                )
            )
    return np.mean(figures, axis=0).tolist()


def case(name, table, classes):
    cohen = []
    for first, second in itertools.combinations(range(table.shape[1]), 2):
        both = (table[:, first] != MISSING) & (table[:, second] != MISSING)
        kappa = cohen_kappa_score(table[both, first], table[both, second], labels=range(classes))
        cohen.append({"first": first, "second": second, "kappa": float(kappa)})
    complete = not (table == MISSING).any()
    values = np.where(table == MISSING, np.nan, table).T
    accuracy, macro_f1 = ceiling(table, classes)
    return {
        "name": name,
        "classes": classes,
        "items": [[None if x == MISSING else int(x) for x in row] for row in table],
        "cohen": cohen,
        "fleiss": float(fleiss_kappa(aggregate_raters(table, n_cat=classes)[0])) if complete else None,
        "krippendorff": float(
            krippendorff.alpha(values, level_of_measurement="nominal", value_domain=list(range(classes)))
        ),
        "accuracy": accuracy,
        "macro_f1": macro_f1,
    }


def main():
    generator = np.random.default_rng(SEED)

    def table(items, annotators, classes, noise, missing=0.0):
        truth = generator.integers(classes, size=items)
        found = np.repeat(truth[:, None], annotators, axis=1)
        wrong = generator.random(found.shape) < noise
        found = np.where(wrong, generator.integers(classes, size=found.shape), found)
        return np.where(generator.random(found.shape) < missing, MISSING, found)

    cases = [
        case("three annotators, five labels", table(120, 3, 5, 0.3), 5),
        case("two annotators, two labels", table(60, 2, 2, 0.2), 2),
        case("six annotators by chance", table(80, 6, 4, 1.0), 4),
        case("four annotators with gaps", table(150, 4, 3, 0.4, 0.3), 3),
        case("five annotators, hardly any annotation", table(200, 5, 6, 0.2, 0.7), 6),
        case("a label that nobody gives", np.where((found := table(50, 3, 4, 0.3)) == 2, 0, found), 4),
        case("all agree", np.repeat(np.arange(12)[:, None] % 3, 3, axis=1), 3),
    ]
    result = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scikit-learn": sklearn.__version__,
            "statsmodels": statsmodels.__version__,
            "krippendorff": importlib.metadata.version("krippendorff"),
        },
        "seed": SEED,
        "tolerance": 1e-12,
        "cases": cases,
    }
    text = json.dumps(result, allow_nan=False, separators=(",", ":")).replace('{"name"', '\n{"name"')
    pathlib.Path(__file__).with_name("case.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

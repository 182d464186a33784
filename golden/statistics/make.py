"""Statistics of comparisons as SciPy, statsmodels and NumPy compute them.

Writes case.json beside this file: McNemar's test, the exact paired permutation test, Holm's correction, means and
deviations, and percentile bootstraps of differences over given resamples. Run: python make.py
"""

import json
import pathlib
import platform

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

SEED = 20253
EXACT_BELOW = 25


def mcnemar_case(first, second):
    discordant, fewer = first + second, min(first, second)
    exact = float(mcnemar([[50, first], [second, 50]], exact=True).pvalue)
    if first == second:
        p = 1.0
    elif discordant < EXACT_BELOW:
        p = exact
    else:
        p = float(2 * stats.binom.cdf(fewer, discordant, 0.5) - stats.binom.pmf(fewer, discordant, 0.5))
    return {"only_first": first, "only_second": second, "p": min(p, 1.0)}


def sign_flip_case(differences):
    result = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    return {"differences": differences.tolist(), "p": float(result.pvalue)}


def difference_case(first, second, confidence):
    drawn = second.mean(axis=0) - first.mean(axis=0)
    side = min((drawn <= 0).sum(), (drawn >= 0).sum())
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return {
        "confidence": confidence,
        "first": first.tolist(),
        "second": second.tolist(),
        "low": float(low),
        "high": float(high),
        "p": float(min(1.0, 2 * (1 + side) / (drawn.size + 1))),
    }


def main():
    generator = np.random.default_rng(SEED)
    counts = [(0, 1), (3, 5), (1, 9), (0, 24), (12, 12), (11, 13), (10, 15), (12, 13), (7, 30), (150, 190), (900, 1000)]
    figures = [generator.normal(0.5, 0.1, count) for count in (1, 2, 3, 10)]
    flips = [generator.normal(mean, 1.0, count) for mean, count in ((0.0, 3), (1.0, 5), (0.5, 8), (2.0, 10))]
    flips.append(np.array([0.25, 0.25, -0.25, 0.5]))
    plain = [generator.uniform(0, 0.1, count) for count in (1, 4, 15)]
    plain.append(np.array([0.01, 0.01, 0.04, 0.9]))
    differences = [
        difference_case(generator.normal(0.5, 0.1, (3, 99)), generator.normal(mean, 0.1, (runs, 99)), confidence)
        for mean, runs, confidence in ((0.5, 3, 0.95), (0.6, 2, 0.9), (0.9, 1, 0.95))
    ]
    result = {
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
        },
        "seed": SEED,
        "tolerance": 1e-12,
        "mcnemar": [mcnemar_case(*pair) for pair in counts],
        "sign_flip": [sign_flip_case(case) for case in flips],
        "holm": [
            {"plain": case.tolist(), "adjusted": multipletests(case, method="holm")[1].tolist()} for case in plain
        ],
        "spread": [
            {
                "figures": case.tolist(),
                "mean": float(case.mean()),
                "deviation": float(case.std(ddof=1)) if case.size > 1 else None,
            }
            for case in figures
        ],
        "difference": differences,
    }
    text = json.dumps(result, allow_nan=False, separators=(",", ":"))
    for mark in ('{"only_first"', '{"differences"', '{"plain"', '{"figures"', '{"confidence"'):
        text = text.replace(mark, "\n" + mark)
    pathlib.Path(__file__).with_name("case.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

"""Selection traces of `ir`, worked out from the description of the method, without the Rust code.

Writes case.json beside this file: for every number of layers, fidelity and split_num a run of made-up gradient
norms, the random numbers it drew, and the layers that train in each step; and the split costs of some score
lists as numpy.var has them. Run: python make.py
"""

import json
import math
import pathlib
import platform

import numpy as np

SEED = 20251
STEPS = 42
PARAMETERS = 3


def window(count):
    return int(0.35 * count), int(0.65 * count)


def cost_list(ascending):
    return [float(np.var(ascending[:k]) + np.var(ascending[k:])) for k in range(1, len(ascending))]


def total(terms):
    """A plain sum in order; `sum` of newer Python versions compensates for rounding."""
    result = 0.0
    for term in terms:
        result += term
    return result


def ranked(scores):
    return sorted(range(len(scores)), key=lambda layer: (scores[layer], layer))


def split_published(pairs):
    """Upper side of (score, layer) pairs in ascending order, off by one as published."""
    costs = cost_list(np.array([score for score, _ in pairs]))
    low, high = window(len(pairs))
    cheapest = min(costs[low : high + 1])
    return pairs[costs.index(cheapest) :]


def split_paper(pairs):
    costs = cost_list(np.array([score for score, _ in pairs]))
    low, high = window(len(pairs))
    candidates = [k for k in range(1, len(pairs)) if low <= k <= high]
    cheapest = min(costs[k - 1] for k in candidates)
    return pairs[next(k for k in candidates if costs[k - 1] == cheapest) :]


def paper_sizes(layers, split_num):
    """All sizes that the splits can leave, by trying every allowed k."""
    sizes = {layers}
    for _ in range(split_num):
        sizes = {s - k for s in sizes for k in range(1, s) if window(s)[0] <= k <= window(s)[1]}
    return min(sizes), max(sizes)


class Published:
    def __init__(self, layers, split_num):
        self.layers, self.split_num = layers, split_num
        self.scores = [1000.0] * layers

    def select(self, draw):
        scores = self.scores
        if all(score == 1000.0 for score in scores):
            scores = [draw() for _ in range(self.layers)]
        pairs = [(scores[layer], layer) for layer in ranked(scores)]
        for _ in range(self.split_num):
            pairs = split_published(pairs)
        return sorted(layer for _, layer in pairs)

    def score(self, norms):
        return math.sqrt(total(math.sqrt(norm if math.isfinite(norm) else 1000.0) for norm in norms))

    def recorded(self):
        return [None if score == 1000.0 else score for score in self.scores]


class Paper:
    def __init__(self, layers, split_num):
        self.layers, self.split_num = layers, split_num
        self.scores = [None] * layers

    def select(self, draw):
        never = [layer for layer in range(self.layers) if self.scores[layer] is None]
        smallest, largest = paper_sizes(self.layers, self.split_num)
        if len(never) > largest:
            for i in range(largest):
                j = i + math.floor(draw() * (len(never) - i))
                never[i], never[j] = never[j], never[i]
            return sorted(never[:largest])
        if never:
            known = [layer for layer in range(self.layers) if self.scores[layer] is not None]
            known.sort(key=lambda layer: (self.scores[layer], layer), reverse=True)
            return sorted(never + known[: max(0, smallest - len(never))])
        pairs = [(self.scores[layer], layer) for layer in ranked(self.scores)]
        for _ in range(self.split_num):
            pairs = split_paper(pairs)
        return sorted(layer for _, layer in pairs)

    def score(self, norms):
        return math.sqrt(total(norm * norm for norm in norms))

    def recorded(self):
        return self.scores


def text(norm):
    """JSON has no NaN or infinity, so a norm that is not finite is written as text."""
    return norm if math.isfinite(norm) else str(norm)


def run(kind, layers, split_num, generator):
    policy = kind(layers, split_num)
    level = generator.uniform(0.05, 2.0, layers)
    steps = []
    for step in range(STEPS):
        draws = []

        def draw():
            draws.append(float(generator.random()))
            return draws[-1]

        selected = policy.select(draw)
        level *= np.exp(generator.normal(0.0, 0.25, layers))
        gradients = []
        for layer in selected:
            norms = [float(f"{level[layer] * share:.6g}") for share in generator.uniform(0.2, 1.8, PARAMETERS)]
            if layers == 16 and step % 3:
                # Few distinct values, so that scores and costs tie.
                norms = [float(0.5 * (1 + round(norms[0]) % 3))] * PARAMETERS
            if kind is Published and layers > 4 and generator.random() < 0.01:
                norms[int(generator.integers(PARAMETERS))] = float(generator.choice([math.nan, math.inf]))
            gradients.append({"layer": layer, "norms": [text(norm) for norm in norms]})
            policy.scores[layer] = policy.score(norms)
        steps.append({"draws": draws, "selected": selected, "gradients": gradients})
    return {
        "fidelity": kind.__name__.lower(),
        "layers": layers,
        "split_num": split_num,
        "steps": steps,
        "final_scores": policy.recorded(),
    }


def main():
    generator = np.random.default_rng(SEED)
    runs = [
        run(kind, layers, split_num, generator)
        for kind in (Paper, Published)
        for split_num in (1, 2)
        for layers in (4, 16, 30, 32)
    ]
    costs = []
    for count in (2, 7, 8, 9, 17, 32, 129, 300):
        scores = np.sort(generator.lognormal(0.0, 1.0, count))
        costs.append({"ascending": scores.tolist(), "costs": cost_list(scores)})
    case = {
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "seed": SEED,
        "tolerance": 0.0,
        "runs": runs,
        "costs": costs,
    }
    lines = json.dumps(case, allow_nan=False, separators=(",", ":")).replace('{"draws"', '\n{"draws"')
    pathlib.Path(__file__).with_name("case.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()

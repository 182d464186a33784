"""Selection traces of every layer-wise method, worked out from the descriptions of the methods, without the Rust code.

Writes case.json beside this file: for every method, some options and some sizes of model a run of made-up
measurements, the random numbers it drew, the layers that train in each step, the layers whose optimizer state is
cleared, and the scores at the end. (`ir` by gradients is in golden/ir_selection.) Run: python make.py
"""

import itertools
import json
import math
import pathlib
import platform

import numpy as np

SEED = 20252
STEPS = 45


def costs(ascending):
    return [float(np.var(ascending[:k]) + np.var(ascending[k:])) for k in range(1, len(ascending))]


def subset(draw, items, count):
    """A uniform sample: position i changes places with one from i on."""
    items = list(items)
    for i in range(count):
        j = i + math.floor(draw() * (len(items) - i))
        items[i], items[j] = items[j], items[i]
    return items[:count]


def weighted_subset(draw, weights, count):
    """One layer after the other, each by its weight among those that are left."""
    left, drawn = list(range(len(weights))), []
    for _ in range(count):
        mark = draw() * sum_in_order(weights[layer] for layer in left)
        for layer, reached in zip(left, itertools.accumulate(weights[layer] for layer in left)):
            if reached > mark:
                break
        drawn.append(layer)
        left.remove(layer)
    return sorted(drawn)


def sum_in_order(terms):
    """A plain sum in order; `sum` of newer Python versions compensates for rounding."""
    total = 0.0
    for term in terms:
        total += term
    return total


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


class Method:
    """What a method looks at is measured by `world`; it keeps its scores in `scores`."""

    def __init__(self, layers, options):
        self.layers, self.options = layers, options
        self.scores = [None] * layers
        self.reset = None

    def observe(self, step, selected, world):
        pass


class Ir(Method):
    """`ir` by cosines or weights, or settling."""

    def __init__(self, layers, options):
        super().__init__(layers, options)
        self.metric = options.get("metric", "gradient")
        self.published = options.get("fidelity") == "published"
        self.splits = int(options.get("split_num", "1"))
        self.settle = int(options.get("settle", "0"))
        self.settled = None

    def candidates(self, count):
        """The k of the splits that count, as positions k − 1 in the list of costs."""
        low, high = int(0.35 * count), int(0.65 * count)
        if not self.published:
            return [k - 1 for k in range(1, count) if low <= k <= high]
        if self.metric == "cosine":
            high -= 1
        elif self.metric == "weight":
            low += 1
        return [position for position in range(count - 1) if low <= position <= high]

    def split(self, pairs):
        cost = costs(np.array([score for score, _ in pairs]))
        cheapest = min(cost[position] for position in self.candidates(len(pairs)))
        if self.published:
            parted = cost.index(cheapest)
        else:
            parted = 1 + next(p for p in self.candidates(len(pairs)) if cost[p] == cheapest)
        return pairs[:parted] if self.metric == "cosine" else pairs[parted:]

    def largest(self):
        size = self.layers
        for _ in range(self.splits):
            kept = [p + 1 for p in self.candidates(size)]
            size = max(kept) if self.metric == "cosine" else size - min(kept)
        return size

    def select(self, step, draw, world):
        if self.settled:
            return self.settled
        if self.metric == "weight":
            self.scores = world.weights() if step == 0 else self.scores
        if None in self.scores and not self.published:
            # Neither metric ever scores a part of the layers only, and gradients don't in the runs made here
            # once the first two steps are over.
            never = [layer for layer in range(self.layers) if self.scores[layer] is None]
            if len(never) > self.largest():
                return sorted(subset(draw, never, self.largest()))
            known = sorted(((self.scores[i], i) for i in range(self.layers) if i not in never), reverse=True)
            least = self.layers - max(p + 1 for p in self.candidates(self.layers))
            return sorted(never + [layer for _, layer in known[: max(0, least - len(never))]])
        if None in self.scores:
            pairs = [(draw(), layer) for layer in range(self.layers)]
        else:
            pairs = list(zip(self.scores, range(self.layers)))
        pairs.sort()
        for _ in range(self.splits):
            pairs = self.split(pairs)
        selected = sorted(layer for _, layer in pairs)
        if self.settle and step >= self.settle:
            self.settled = selected
        return selected

    def observe(self, step, selected, world):
        if self.settled:
            return
        if self.metric == "cosine":
            self.scores = world.cosines()
        if self.metric == "gradient":
            for layer, norms in world.gradients(selected):
                self.scores[layer] = math.sqrt(sum_in_order(norm * norm for norm in norms))


class IrCost(Method):
    """All sets are tried where that can be done; else, for each lowest layer, its best fillings by size."""

    def select(self, step, draw, world):
        budget = float(self.options.get("budget", "0.5"))
        adapter = float(self.options.get("adapter_cost", "0.1"))
        top = self.layers - 1
        limit = budget * (top + adapter * self.layers) + 1e-9
        ranked = sorted(range(self.layers), key=lambda i: (self.value(i), i), reverse=True)
        best = None
        for lowest in range(top, -1, -1):
            reachable = [layer for layer in ranked if layer >= lowest]
            for size in range(1, len(reachable) + 1):
                if top - lowest + adapter * size > limit and (lowest, size) != (top, 1):
                    break
                chosen = reachable[:size]
                worth = (
                    sum(self.scores[i] is None for i in chosen),
                    sum_in_order(self.scores[i] for i in chosen if self.scores[i] is not None),
                )
                if best is None or worth > best[0]:
                    best = worth, chosen
        return sorted(best[1])

    def value(self, layer):
        return math.inf if self.scores[layer] is None else self.scores[layer]

    def observe(self, step, selected, world):
        for layer, norms in world.gradients(selected):
            self.scores[layer] = math.sqrt(sum_in_order(norm * norm for norm in norms))


class Ist(Method):
    def __init__(self, layers, options):
        super().__init__(layers, options)
        self.scores = [0.0] * layers

    def select(self, step, draw, world):
        if step > 0 and step % int(self.options.get("interval", "10")) == 0:
            probability = [sigmoid(s) for s in self.scores]
            candidates = []
            while len(candidates) < 3:
                candidate = weighted_subset(draw, probability, int(0.5 * self.layers))
                if candidate not in candidates:
                    candidates.append(candidate)
            gains = [math.exp(-world.probe(candidate, 0.25)) for candidate in candidates]
            mean = float(np.mean(gains))
            for candidate, gain in zip(candidates, gains):
                for i in candidate:
                    self.scores[i] += (gain - mean) * probability[i] * (1 - probability[i]) * 10
        return weighted_subset(draw, [sigmoid(-s) for s in self.scores], int(0.25 * self.layers))


class Rst(Method):
    def select(self, step, draw, world):
        if self.options.get("fidelity") == "published":
            return sorted(subset(draw, range(min(32, self.layers)), 4))
        return sorted(subset(draw, range(self.layers), int(self.options.get("layers", "4"))))


class Lisa(Method):
    def select(self, step, draw, world):
        self.reset = None
        if step % int(self.options.get("interval", "20")) == 0:
            before = getattr(self, "chosen", [])
            self.chosen = sorted(subset(draw, range(self.layers), int(self.options.get("layers", "2"))))
            left = [layer for layer in before if layer not in self.chosen]
            if self.options.get("optimizer_state") == "reset" and left:
                self.reset = left
        return self.chosen


class Badam(Method):
    def __init__(self, layers, options):
        super().__init__(layers, options)
        self.queue = []

    def select(self, step, draw, world):
        self.reset = None
        if step % int(self.options.get("interval", "100")) == 0:
            if not self.queue:
                order = self.options.get("order", "random")
                self.queue = list(range(self.layers))
                if order == "random":
                    self.queue = subset(draw, self.queue, self.layers)
                elif order == "descending":
                    self.queue.reverse()
            # A layer begins empty because it was emptied when it left.
            self.reset = getattr(self, "current", None)
            self.current = [self.queue.pop(0)]
        return self.current


class Spectrum(Method):
    def select(self, step, draw, world):
        if step == 0:
            self.scores = world.weights()
        count = max(1, int(self.layers * float(self.options.get("share", "0.25"))))
        ranked = sorted(range(self.layers), key=lambda i: (self.scores[i], i), reverse=True)
        return sorted(ranked[:count])


class Fixed(Method):
    def select(self, step, draw, world):
        given = self.options.get("layers", "top:8")
        if given.startswith("top:"):
            return list(range(self.layers))[-int(given[4:]) :]
        if given.startswith("bottom:"):
            return list(range(self.layers))[: int(given[7:])]
        chosen = set()
        for part in given.split(","):
            first, _, last = part.partition("..")
            chosen |= set(range(int(first), int(last or first) + 1))
        return sorted(chosen)


class Full(Method):
    def select(self, step, draw, world):
        return list(range(self.layers))


class World:
    """Makes measurements up, and remembers which of them a method asked for."""

    def __init__(self, layers, generator):
        self.layers, self.generator, self.record = layers, generator, {}
        self.level = generator.uniform(0.05, 2.0, layers)

    def short(self, number):
        return float(f"{number:.6g}")

    def gradients(self, selected):
        self.level *= np.exp(self.generator.normal(0.0, 0.2, self.layers))
        share = lambda: self.generator.uniform(0.2, 1.8, 2)
        norms = [[layer, [self.short(self.level[layer] * x) for x in share()]] for layer in selected]
        self.record["gradients"] = [{"layer": layer, "norms": own} for layer, own in norms]
        return norms

    def cosines(self):
        self.record["cosines"] = [self.short(x) for x in self.generator.uniform(-0.2, 1.0, self.layers)]
        return list(self.record["cosines"])

    def weights(self):
        self.record["weights"] = [self.short(x) for x in self.generator.lognormal(0.0, 0.5, self.layers)]
        return list(self.record["weights"])

    def probe(self, suppressed, factor):
        loss = self.short(self.generator.uniform(0.3, 2.0) + 0.05 * sum(suppressed) / self.layers)
        self.record.setdefault("probes", []).append({"layers": suppressed, "factor": factor, "loss": loss})
        return loss


def run(name, kind, options, layers, generator):
    method, world, steps = kind(layers, options), World(layers, generator), []
    for step in range(STEPS):
        draws = []

        def draw():
            draws.append(float(generator.random()))
            return draws[-1]

        world.record = {}
        selected = method.select(step, draw, world)
        reset = method.reset
        method.observe(step, selected, world)
        steps.append({"draws": draws, "selected": selected, "reset": reset, **world.record})
    return {"method": name, "options": options, "layers": layers, "steps": steps, "final_scores": method.scores}


RUNS = [
    ("ir", Ir, {"metric": "cosine"}),
    ("ir", Ir, {"metric": "cosine", "split_num": "2"}),
    ("ir", Ir, {"metric": "cosine", "fidelity": "published"}),
    ("ir", Ir, {"metric": "cosine", "fidelity": "published", "split_num": "2"}),
    ("ir", Ir, {"metric": "weight"}),
    ("ir", Ir, {"metric": "weight", "split_num": "2"}),
    ("ir", Ir, {"metric": "weight", "fidelity": "published"}),
    ("ir", Ir, {"metric": "weight", "fidelity": "published", "split_num": "2"}),
    ("ir", Ir, {"settle": "20"}),
    ("ir-cost", IrCost, {}),
    ("ir-cost", IrCost, {"budget": "0.7", "adapter_cost": "1"}),
    ("ist", Ist, {}),
    ("ist", Ist, {"interval": "3"}),
    ("rst", Rst, {}),
    ("rst", Rst, {"layers": "7"}),
    ("rst", Rst, {"fidelity": "published"}),
    ("lisa", Lisa, {}),
    ("lisa", Lisa, {"layers": "3", "interval": "4", "optimizer_state": "reset"}),
    ("badam", Badam, {}),
    ("badam", Badam, {"interval": "2"}),
    ("badam", Badam, {"interval": "3", "order": "ascending"}),
    ("badam", Badam, {"interval": "3", "order": "descending"}),
    ("spectrum", Spectrum, {}),
    ("spectrum", Spectrum, {"share": "0.6"}),
    ("fixed", Fixed, {}),
    ("fixed", Fixed, {"layers": "3,5,8..11"}),
    ("fixed", Fixed, {"layers": "bottom:3"}),
    ("full", Full, {}),
]


def main():
    generator = np.random.default_rng(SEED)
    runs = [run(*entry, layers, generator) for entry in RUNS for layers in (12, 30, 40)]
    case = {
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "seed": SEED,
        "tolerance": 1e-6,
        "runs": runs,
    }
    lines = json.dumps(case, allow_nan=False, separators=(",", ":"))
    lines = lines.replace('{"draws"', '\n{"draws"').replace('{"method"', '\n{"method"')
    pathlib.Path(__file__).with_name("case.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()

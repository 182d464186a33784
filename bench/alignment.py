"""How well `irtune annotate` finds which sentences of two drafts belong together, on IteraTeR's human annotations.

    python bench/alignment.py IRTUNE RUN ROWS.json [ROWS.json …]

IRTUNE is the program, RUN any run (its labels don't matter; `irtune baseline` makes one in seconds), the others are
IteraTeR's sentence files (before_sent, after_sent, doc_id, revision_depth), a JSON object a line.

The rows of one document at one depth become two drafts: all texts before, and all texts after, each in one paragraph. Rows
of a document that are too like each other to say which belongs to which are left out (a share of common words from 0.45
on), and documents of fewer than three rows. What should be found is the pair of each row that has both texts. A pair counts
as found where a passage pair covers more than half of both its texts. Writes results/alignment.json.
"""

import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ALIKE = 0.45
LEAST = 3


def similarity(one, other):
    one, other = collections.Counter(one.split()), collections.Counter(other.split())
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def documents(paths):
    """The pairs of texts of each document at one depth that can be told from each other."""
    found = collections.defaultdict(list)
    for path in paths:
        for line in open(path):
            row = json.loads(line)
            pair = tuple(" ".join(row[name].split()) for name in ("before_sent", "after_sent"))
            rows = found[row["doc_id"], row["revision_depth"]]
            like = any(similarity(one, other) >= ALIKE for old in rows for one in old for other in pair)
            if pair[0] and not like:
                rows.append(pair)
    return [rows for rows in found.values() if len(rows) >= LEAST]


def drafts(rows):
    """Both drafts, and the spans of the pairs in them."""
    texts, pairs = ["", ""], []
    for row in rows:
        spans = []
        for side, text in enumerate(row):
            spans.append((len(texts[side]), len(texts[side]) + len(text)))
            texts[side] += text + " " * bool(text)
        if all(row) and row[0] != row[1]:
            pairs.append(spans)
    return texts, pairs


def covers(one, other, share):
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common > share * min(one[1] - one[0], other[1] - other[0])


def main(irtune, run, *paths):
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for rows in documents(paths):
            texts, pairs = drafts(rows)
            files = [Path(folder, name) for name in ("old.txt", "new.txt")]
            for file, text in zip(files, texts):
                file.write_text(text)
            command = [irtune, "annotate", *map(str, files), "--run", run, "--json"]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            records = [json.loads(line) for line in said.splitlines()]
            found = [(own["original_span"], own["revised_span"]) for own in records if "original_span" in own and "revised_span" in own]
            matches = lambda own, pair: all(covers(a, b, 0.5) for a, b in zip(own, pair))
            counts["documents"] += 1
            counts["pairs"] += len(pairs)
            counts["found_pairs"] += sum(any(matches(own, pair) for own in found) for pair in pairs)
            counts["told"] += len(found)
            counts["right"] += sum(any(matches(own, pair) for pair in pairs) for own in found)
    precision, recall = counts["right"] / counts["told"], counts["found_pairs"] / counts["pairs"]
    figures = {**counts, "precision": round(precision, 4), "recall": round(recall, 4), "f1": round(2 * precision * recall / (precision + recall), 4)}
    target = Path(__file__).parent.parent / "results" / "alignment.json"
    target.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures))


main(*sys.argv[1:])

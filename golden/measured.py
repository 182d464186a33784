"""Reads what tests measured and writes `tolerances.json` anew.

    cargo test --workspace -- --nocapture 2>&1 | python golden/measured.py [--write]

Every comparison of a test prints `measured RUNG PRECISION VALUES LARGEST L2 COSINE`. Without `--write` the largest of
each rung are printed beside what the file has. With it, what was never measured or is exceeded is written, and its bound
is set anew where it doesn't fit: at some times what was measured, more for the cosine, which falls off with the square
of an error.
"""

import json
import pathlib
import re
import sys

FILE = pathlib.Path(__file__).with_name("tolerances.json")
LINE = re.compile(r"measured (\w+) (\w+) (\d+) (\S+) (\S+) (\S+)")
ROOM = {"largest": 3, "l2": 2.5, "cosine": 5}


def rounded_up(value):
    """With two digits, never below `value`."""
    text = f"{value:.1e}"
    if float(text) < value:
        digits, exponent = text.split("e")
        text = f"{float(digits) + 0.1:.1f}e{exponent}"
    return float(text)


def bound(entry, measure, error):
    """A tolerance that fits is kept."""
    known = entry.get(measure, {}).get("tolerance", 0.0)
    if error == 0.0 and measure != "largest":
        # Exact here; where sums run in another order it may be rounded once.
        once = entry["largest"]["tolerance"] ** (2 if measure == "cosine" else 1)
        return {"tolerance": float(f"{once:.1e}"), "measured": 0.0}
    if 1.5 * error <= known <= 6 * error:
        return {"tolerance": known, "measured": error}
    return {"tolerance": rounded_up(error * ROOM[measure]), "measured": error}


def main():
    rungs = json.loads(FILE.read_text())
    found = {}
    for rung, precision, values, *errors in LINE.findall(sys.stdin.read()):
        for measure, error in zip(ROOM, map(float, errors)):
            if measure == "largest" or int(values) > 1:
                of_rung = found.setdefault((rung, precision), {})
                of_rung[measure] = max(of_rung.get(measure, 0.0), error)
    for (rung, precision), measures in sorted(found.items()):
        entry = rungs.setdefault(rung, {}).setdefault(precision, {})
        for measure, error in measures.items():
            known = entry.get(measure)
            print(f"{rung:25} {precision:6} {measure:8} {error:.3e}", known or "not set")
            if known is None or error > known["measured"]:
                entry[measure] = bound(entry, measure, rounded_up(error))
    if "--write" in sys.argv:
        write(rungs)


def write(rungs):
    """One line for each rung and precision."""
    lines = []
    for rung, precisions in rungs.items():
        of_rung = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in precisions.items()]
        lines.append(f" {json.dumps(rung)}: {{\n" + ",\n".join(of_rung) + "\n }")
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()

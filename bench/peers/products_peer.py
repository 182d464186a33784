"""PyTorch's matrix products on given shapes, in GFLOP/s.

    python products_peer.py --shapes 576x576,192x576 --out FILE [--rows 1550] [--tries 11] [--threads N]

A shape is outputs x summed.  Forward is x · Wᵀ with W [outputs, summed], as a linear layer runs it; backward is g · W
with W [summed, outputs], as autograd runs it.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import torch

# What each of irtune's precisions is held against: its integers against the fastest where each of them is for.
PRECISIONS = {"bf16": torch.bfloat16, "int16": torch.float32, "int8": torch.bfloat16, "f32": torch.float32}


def gflops(run, operations, tries):
    """The median of so many runs, after one that doesn't count."""
    run()
    speeds = []
    for _ in range(tries):
        start = time.perf_counter()
        run()
        speeds.append(operations / (time.perf_counter() - start) / 1e9)
    return statistics.median(speeds)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--shapes", required=True)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--precisions", default="bf16,f32", help="of irtune's side")
    arguments.add_argument("--rows", type=int, default=1550)
    arguments.add_argument("--tries", type=int, default=11)
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    products = []
    for name in options.precisions.split(","):
        dtype = PRECISIONS[name]
        for shape in options.shapes.split(","):
            outputs, summed = map(int, shape.split("x"))
            left = torch.rand(options.rows, summed).sub(0.5).to(dtype)
            weights = {"forward": torch.rand(outputs, summed), "backward": torch.rand(summed, outputs)}
            for side, weight in weights.items():
                weight = weight.sub(0.5).to(dtype)
                product = torch.nn.functional.linear if side == "forward" else torch.mm
                speed = gflops(lambda: product(left, weight), 2 * options.rows * outputs * summed, options.tries)
                products.append(
                    {"precision": name, "side": side, "outputs": outputs, "summed": summed, "gflops": speed}
                )
    result = {"rows": options.rows, "threads": options.threads, "torch": torch.__version__, "products": products}
    Path(options.out).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Learning-rate factors of transformers' schedules. Writes case.json beside this file."""

import json
import pathlib

import torch
import transformers

CASES = [(0, 1), (0, 12), (3, 12), (5, 5), (10, 40), (100, 20), (100, 804), (1, 2)]
MAKERS = {
    "linear": lambda optimizer, warmup, total: transformers.get_linear_schedule_with_warmup(
        optimizer, warmup, total
    ),
    "cosine": lambda optimizer, warmup, total: transformers.get_cosine_schedule_with_warmup(
        optimizer, warmup, total
    ),
    "constant": lambda optimizer, warmup, total: transformers.get_constant_schedule_with_warmup(
        optimizer, warmup
    ),
}


def factors(make, warmup, total):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    scheduler = make(optimizer, warmup, total)
    values = []
    for _ in range(total + 2):
        values.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return values


cases = [
    {"schedule": name, "warmup_steps": warmup, "total_steps": total, "factors": factors(make, warmup, total)}
    for name, make in MAKERS.items()
    for warmup, total in CASES
]
document = {
    "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    "tolerance": 1e-12,
    "cases": cases,
}
path = pathlib.Path(__file__).with_name("case.json")
path.write_text(json.dumps(document, indent=1) + "\n")

"""Ten steps with another learning rate for the head, made by transformers, PEFT and AdamW's parameter groups in float32.

    python make.py

Model, examples and start are those of `../tiny_llama/three_layers`. Writes case.safetensors and case.json beside this
file; the keys are those of a trace there, and `head_rate` is the head's rate over that of the adapters.
"""

import importlib.util
import json
from importlib import metadata
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaForSequenceClassification, get_linear_schedule_with_warmup

HERE = Path(__file__).parent
TINY = HERE.parent / "tiny_llama"
NAME, HEAD_RATE = "three_layers", 5.0
spec = importlib.util.spec_from_file_location("tiny_llama", TINY / "make.py")
tiny = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tiny)


def trace(model, data, order, settings):
    trained = tiny.parameters(model)
    head = [parameter for name, parameter in trained.items() if "score" in name]
    rest = [parameter for name, parameter in trained.items() if "score" not in name]
    assert len(head) == 1 and rest
    rate = settings["learning_rate"]
    groups = [{"params": rest, "lr": rate}, {"params": head, "lr": rate * settings["head_rate"]}]
    optimizer = torch.optim.AdamW(
        groups, betas=(settings["beta1"], settings["beta2"]), eps=settings["epsilon"],
        weight_decay=settings["weight_decay"],
    )
    schedule = get_linear_schedule_with_warmup(optimizer, tiny.WARMUP, tiny.STEPS)
    losses, rates, norms = [], [], []
    for indices in order:
        optimizer.zero_grad(set_to_none=True)
        loss, _ = tiny.loss_of(model, *(x[indices] for x in data))
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), settings["max_grad_norm"]).item())
        rates.append(schedule.get_last_lr()[0])
        losses.append(loss.item())
        optimizer.step()
        schedule.step()
    report = {"losses": losses, "learning_rates": rates, "gradient_norms": norms}
    report = {name: torch.tensor(values) for name, values in report.items()}
    return report | {f"final.{name}": p.detach().clone() for name, p in trained.items()}


torch.set_num_threads(1)
golden = load_file(TINY / NAME / "case.safetensors")
facts = json.loads((TINY / NAME / "case.json").read_text())
base = LlamaForSequenceClassification.from_pretrained(
    TINY / NAME / "model", num_labels=facts["labels"], dtype=torch.float32, attn_implementation="eager"
).eval()
model = tiny.adapted(base, tiny.CASES[NAME])
for parameter in tiny.parameters(model).values():
    parameter.requires_grad_()
tiny.restart(model, {key: golden[f"adapter/{key}"] for key in tiny.parameters(model)})
data = [golden[f"pool/{name}"].long() for name in ("tokens", "lengths", "targets")]
order = golden["trace_all/order"].long()
settings = facts["traces"]["trace_all"] | {"weight_decay": 0.05, "head_rate": HEAD_RATE}
out = trace(model, data, order, settings)
out |= {"order": golden["trace_all/order"], "active": golden["trace_all/active"]}
save_file({f"trace_head/{key}": value.contiguous() for key, value in out.items()}, HERE / "case.safetensors")
document = {
    "arithmetic": "float32, one thread",
    "traces": {"trace_head": settings},
    "versions": {name: metadata.version(name) for name in ["torch", "transformers", "peft"]},
}
(HERE / "case.json").write_text(json.dumps(document, indent=1) + "\n")
print(out["losses"], golden["trace_all/losses"])

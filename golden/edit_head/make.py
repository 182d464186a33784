"""Goldens of a head that reads what changed, made by transformers and PEFT in float32 on the CPU.

    python make.py

The models, examples and LoRA are those of `../tiny_llama`. The head is a linear map without bias over the last token's
state, the mean of the states of deleted tokens, that of inserted tokens (zeros where there are none), and standardised
counters. Writes `<case>/case.safetensors` and `<case>/case.json`. Keys read `section/name`:

    change     by example of the pool: counters [20, 4] as counted; removed and added, positions of all examples one after
               the other, with removed_lengths and added_lengths; some lie in what all examples begin with
    scaling    mean and deviation of the counters, as scikit-learn's StandardScaler finds them
    head       score.weight [labels, 3 · hidden + 4]
    logits     of the first five examples: with the adapter, and of the base alone
    loss       mean cross-entropy of the first five examples
    gradients  of that loss, by PEFT's names
    trace      six AdamW steps of all layers and the head: order of the examples, losses, and the head at the end
"""

import json
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from sklearn.preprocessing import StandardScaler
from transformers import LlamaForCausalLM

HERE = Path(__file__).parent
TINY = HERE.parent / "tiny_llama"
HEAD = "base_model.model.score.weight"
COUNTERS, STEPS = 4, 6
ADAMW = {"learning_rate": 5e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}


def changes(random, lengths):
    """Positions of deleted and inserted tokens: runs of some tokens, from the shared beginning to the last token."""
    removed, added = [], []
    for index, length in enumerate(lengths):
        runs = [[], []]
        for side in range(2):
            for _ in range(random.integers(0, 3)):
                start = random.integers(1, length)
                runs[side] += range(start, min(length, start + random.integers(1, 4)))
        removed.append(sorted(set(runs[0])))
        added.append(sorted(set(runs[1])))
    # Nothing at all, only one side, the first and the last token.
    removed[0], added[0] = [2, 3, 8], [int(lengths[0]) - 1]
    removed[1], added[1] = [], []
    removed[2], added[2] = [], [3, 4, 9, 20]
    removed[3], added[3] = [0, 10], []
    return removed, added


def features(model, example, removed, added, counters):
    states = model.base_model.model.model(input_ids=torch.tensor([example])).last_hidden_state[0]
    mean = lambda places: states[places].mean(0) if places else torch.zeros(states.shape[1])
    return torch.cat([states[-1], mean(removed), mean(added), counters])


def make(name):
    facts = json.loads((TINY / name / "case.json").read_text())
    golden = load_file(TINY / name / "case.safetensors")
    seed = facts["seed"] + 200
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    lengths = golden["pool/lengths"].tolist()
    examples = [golden["pool/tokens"][row, :length].tolist() for row, length in enumerate(lengths)]
    targets = golden["pool/targets"].long()
    removed, added = changes(random, lengths)
    counted = random.integers(0, 9, (len(examples), COUNTERS)).astype(np.float32)
    counted[:, 3] = 2.0  # the same everywhere
    scaler = StandardScaler().fit(counted.astype(np.float64))
    counters = torch.tensor(scaler.transform(counted.astype(np.float64))).float()

    model = LlamaForCausalLM.from_pretrained(
        TINY / name / "model", dtype=torch.float32, attn_implementation="eager"
    ).eval()
    hidden = model.config.hidden_size
    start = torch.randn((facts["labels"], 3 * hidden + COUNTERS), generator=generator) * 0.2
    head = torch.nn.Parameter(start.clone())
    config = LoraConfig(
        task_type="CAUSAL_LM", r=facts["rank"], lora_alpha=facts["alpha"], lora_dropout=0.0,
        target_modules=facts["target_modules"],
    )
    model = get_peft_model(model, config).eval()
    adapter = {n.replace(".default", ""): p for n, p in model.named_parameters() if "lora_" in n}

    def logits(indices):
        rows = [features(model, examples[i], removed[i], added[i], counters[i]) for i in indices]
        return torch.stack(rows) @ head.T

    first = range(facts["batch"])
    out = {
        "change/counters": torch.tensor(counted),
        "change/removed": torch.tensor(sum(removed, [])).int(),
        "change/added": torch.tensor(sum(added, [])).int(),
        "change/removed_lengths": torch.tensor([len(places) for places in removed]).int(),
        "change/added_lengths": torch.tensor([len(places) for places in added]).int(),
        "scaling/mean": torch.tensor(scaler.mean_).float(),
        "scaling/deviation": torch.tensor(scaler.scale_).float(),
        f"head/{HEAD}": start,
    }
    with torch.no_grad(), model.disable_adapter():
        out["logits/base"] = logits(first)
    with torch.no_grad():
        for key, parameter in adapter.items():
            parameter.copy_(golden[f"adapter/{key}"])
    found = logits(first)
    loss = torch.nn.functional.cross_entropy(found, targets[list(first)])
    loss.backward()
    out |= {"logits/adapted": found.detach(), "loss/mean": loss.detach().reshape(1)}
    out |= {f"gradients/{key}": parameter.grad.clone() for key, parameter in (adapter | {HEAD: head}).items()}

    trained = [*adapter.values(), head]
    optimizer = torch.optim.AdamW(
        trained, lr=ADAMW["learning_rate"], betas=(ADAMW["beta1"], ADAMW["beta2"]), eps=ADAMW["epsilon"],
        weight_decay=ADAMW["weight_decay"],
    )
    order = torch.tensor(np.array([random.choice(len(examples), len(first), replace=False) for _ in range(STEPS)]))
    losses = []
    for indices in order:
        optimizer.zero_grad(set_to_none=True)
        loss = torch.nn.functional.cross_entropy(logits(indices.tolist()), targets[indices])
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    out |= {"trace/order": order.int(), "trace/losses": torch.tensor(losses), "trace/head": head.detach()}

    folder = HERE / name
    folder.mkdir(exist_ok=True)
    save_file({key: value.contiguous() for key, value in out.items()}, folder / "case.safetensors")
    facts = {
        "seed": seed, "arithmetic": "float32, one thread", "steps": ADAMW,
        "versions": {name: metadata.version(name) for name in ["torch", "transformers", "peft", "scikit-learn"]},
    }
    (folder / "case.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(name, out["logits/adapted"], losses)


torch.set_num_threads(1)
for name in ["three_layers", "six_layers"]:
    make(name)

"""Golden of SmolLM2-135M-Instruct with a head and an adapter, made by transformers and PEFT in float32.

    python make.py SmolLM2-135M-Instruct.Q4_1.gguf

The weights are the Q4_1 file's (`bench/peers/export_base.py` decodes them, bit for bit as transformers' own GGUF
loader does).  Fifty prompts over the revision pairs of `corpora/revisions/test.jsonl` are stored as token ids; each
runs alone and unpadded, the last token is pooled.  The adapter and the head are drawn by `pseudo_random` from their
names, so that both sides can compute them and no weights are stored here:

    state = FNV-1a of the parameter's PEFT name (64 bits)
    value k = bound * (2 * (splitmix64(state + (k + 1) * 0x9e3779b97f4a7c15) >> 40) / 2^24 - 1)

with bound sqrt(3 / columns) for lora_A, 0.1 for lora_B and 0.2 for the head.  Keys read `section/name`:

    prompts    tokens, all prompts end to end, their lengths and targets
    logits     [50, labels]: with the adapter, and of the base with the same head
    gradients  of the mean loss of the first `batch` prompts: the loss, the L2 norm of every parameter's gradient
               [layers, parameters of a layer], A before B in the order of target_modules, the head's gradient itself
"""

import json
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoTokenizer, LlamaForSequenceClassification

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import export_base  # noqa: E402

PROMPTS, BATCH, RANK, ALPHA = 50, 4, 2, 4
TARGETS = ["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"]
TEMPLATE = (
    "Read a sentence before and after it was revised and name the intention of the revision.\n"
    "Intentions: {labels}.\n\n### Before\n{before}\n\n### After\n{after}\n\n### Intention\n"
)


def pseudo_random(name, shape, bound):
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = ((state ^ byte) * 0x100000001B3) % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(state) + np.arange(1, np.prod(shape) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(40)).astype(np.float64) / 2.0**24
    return torch.tensor((bound * (2 * unit - 1)).astype(np.float32).reshape(shape))


def prompts(gguf):
    rows = [json.loads(line) for line in (ROOT / "corpora/revisions/test.jsonl").read_text().splitlines()]
    labels = sorted({row["label"] for row in rows})
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    picked = [rows[i * len(rows) // PROMPTS] for i in range(PROMPTS)]
    texts = [TEMPLATE.format(labels=", ".join(labels), **row) for row in picked]
    return [tokenizer(text).input_ids for text in texts], [labels.index(row["label"]) for row in picked], labels


def parameter_name(name):
    return name.replace(".default", "").replace("modules_to_save.", "")


def main(gguf):
    tokens, targets, labels = prompts(gguf)
    config, weights = export_base.read(gguf)
    with tempfile.TemporaryDirectory() as folder:
        save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})
        Path(f"{folder}/config.json").write_text(json.dumps(config))
        model = LlamaForSequenceClassification.from_pretrained(
            folder, num_labels=len(labels), dtype=torch.float32, attn_implementation="eager"
        )
    model.config.pad_token_id = None  # one prompt at a time: the last token is pooled, whatever its id
    score = pseudo_random("base_model.model.score.weight", model.score.weight.shape, 0.2)
    with torch.no_grad():
        model.score.weight.copy_(score)
    logits = lambda ids: model(input_ids=torch.tensor([ids])).logits[0]
    with torch.no_grad():
        base = torch.stack([logits(ids) for ids in tokens])

    lora = LoraConfig(task_type="SEQ_CLS", r=RANK, lora_alpha=ALPHA, lora_dropout=0.0, target_modules=TARGETS)
    model = get_peft_model(model, lora).eval()
    trained = {
        parameter_name(name): parameter
        for name, parameter in model.named_parameters()
        if "lora_" in name or "modules_to_save" in name
    }
    with torch.no_grad():
        for name, parameter in trained.items():
            if "score" in name:
                bound = 0.2
            else:
                bound = (3 / parameter.shape[1]) ** 0.5 if "lora_A" in name else 0.1
            parameter.copy_(pseudo_random(name, parameter.shape, bound))
        adapted = torch.stack([logits(ids) for ids in tokens])

    total = 0.0
    for ids, target in list(zip(tokens, targets))[:BATCH]:
        loss = torch.nn.functional.cross_entropy(logits(ids), torch.tensor(target)) / BATCH
        loss.backward()
        total += loss.item()
    paths = [("mlp." if t in ("up_proj", "down_proj") else "self_attn.") + t for t in TARGETS]
    name = "base_model.model.model.layers.{}.{}.{}.weight"
    norms = [
        [trained[name.format(layer, path, part)].grad.norm().item() for path in paths for part in ("lora_A", "lora_B")]
        for layer in range(config["num_hidden_layers"])
    ]
    out = {
        "prompts/tokens": torch.tensor(sum(tokens, []), dtype=torch.int32),
        "prompts/lengths": torch.tensor([len(ids) for ids in tokens], dtype=torch.int32),
        "prompts/targets": torch.tensor(targets, dtype=torch.int32),
        "logits/base": base, "logits/adapted": adapted,
        "gradients/loss": torch.tensor([total]), "gradients/norms": torch.tensor(norms),
        "gradients/head": trained["base_model.model.score.weight"].grad,
    }
    save_file(out, HERE / "case.safetensors")
    with torch.no_grad():  # what 16 bits cost PyTorch itself
        half = model.to(torch.bfloat16)
        half = torch.stack([half(input_ids=torch.tensor([ids])).logits[0] for ids in tokens]).float()
    facts = {
        "base": gguf.name, "arithmetic": "float32", "labels": labels, "rank": RANK, "alpha": ALPHA, "batch": BATCH,
        "target_modules": TARGETS,
        "torch_bf16_logits_error": float(f"{(half - adapted).abs().max() / adapted.abs().max():.3g}"),
        "torch_bf16_same_label": int((half.argmax(1) == adapted.argmax(1)).sum()),
        "versions": {name: metadata.version(name) for name in ["torch", "transformers", "peft", "gguf"]},
    }
    (HERE / "case.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(facts, adapted.std(0), (adapted - base).abs().mean(), total, norms[0], norms[-1])


torch.set_num_threads(1)
main(Path(sys.argv[1]))

"""Goldens of every kind of adapter on the tiny Llama of `golden/tiny_llama/three_layers`, in float32 on the CPU: LoRA's
variants, DoRA and (IA)3 by PEFT, bottlenecks (which PEFT lacks) and DoRA with its norm in the gradient by a transcription
of the formula.

    python make.py

Writes one folder per case: `case.safetensors` and `case.json`, whose `adapter` is irtune's settings; for some also
`peft/`, the adapter as PEFT saves it. Keys read `section/name`:

    adapter    the parameters that the numbers below start from, by PEFT's names (a bottleneck's by irtune's)
    start      PiSSA only: the parameters that PEFT starts from
    norms      DoRA only: the magnitudes that PEFT starts from
    logits     of the first five examples
    loss       their mean cross-entropy
    gradients  of that loss
    trace      four AdamW steps over the first ten examples: losses, and the parameters at the end
    merged     where PEFT merges: W with the adapter in it, of one or two projections of layer 1
"""

import json
import math
import shutil
from importlib import metadata
from pathlib import Path

import torch
from peft import IA3Config, LoraConfig, get_peft_model
from peft.optimizers import create_loraplus_optimizer
from peft.tuners.lora.dora import DoraLinearLayer
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import LlamaForSequenceClassification

HERE = Path(__file__).parent
TINY = HERE.parent / "tiny_llama" / "three_layers"
SEED, LABELS, BATCH, STEPS, RATE, DECAY, RATIO = 51, 5, 5, 4, 5e-3, 0.05, 4.0
TARGETS = ["q_proj", "v_proj", "up_proj", "down_proj"]
PREFIX = "base_model.model.model.layers.1."
LORA = {"adapter": "lora", "rank": 2, "alpha": 3.0, "dropout": 0.0, "target_modules": TARGETS}
BOTTLENECK = {"adapter": "bottleneck", "size": 3, "dropout": 0.0, "target_modules": TARGETS}


def dora(detach):
    lora = {key: value for key, value in LORA.items() if key != "adapter"}
    return {"adapter": "dora", "lora": lora, "detach_norm": detach}


CASES = {
    "rank_stabilised": LORA | {"rank_stabilised": True},
    "lora_plus": LORA | {"learning_rate_ratio": RATIO},
    "pissa": LORA | {"init": "pissa"},
    "dora": dora(True),
    "dora_with_norm": dora(False),
    "ia3": {"adapter": "ia3", "target_modules": ["k_proj", "v_proj", "down_proj"]},
    "ia3_everywhere": {"adapter": "ia3", "target_modules": ["q_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]},
    "bottleneck": BOTTLENECK | {"activation": "tanh", "place": "parallel", "scaling": 1.0},
    "bottleneck_relu": BOTTLENECK | {"activation": "relu", "place": "parallel", "scaling": 0.5},
    "bottleneck_serial": BOTTLENECK | {"activation": "gelu", "place": "serial", "scaling": 1.5},
}
SAVED = ["rank_stabilised", "dora", "ia3"]
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "gelu": nn.functional.gelu}


class Bottleneck(nn.Module):
    def __init__(self, linear, settings):
        super().__init__()
        self.linear, self.settings = linear, settings
        outputs, inputs = linear.weight.shape
        width = inputs if settings["place"] == "parallel" else outputs
        self.adapter_down = nn.Linear(width, settings["size"], bias=False)
        self.adapter_up = nn.Linear(settings["size"], outputs, bias=False)

    def forward(self, x):
        y = self.linear(x)
        read = x if self.settings["place"] == "parallel" else y
        activation = ACTIVATIONS[self.settings["activation"]]
        return y + self.settings["scaling"] * self.adapter_up(activation(self.adapter_down(read)))


def whole_gradient(self, x, *, lora_A, lora_B, scaling, base_layer, base_result=None, adapter_name="default"):
    """PEFT's forward of DoRA without its two detachments."""
    added = lora_B.weight @ lora_A.weight
    norm = torch.linalg.norm(base_layer.weight + scaling * added, dim=1)
    factor = (self.weight / norm).view(1, -1)
    return (factor - 1) * base_result + factor * lora_B(lora_A(x)) * scaling


def adapted(settings):
    torch.manual_seed(SEED)
    base = LlamaForSequenceClassification.from_pretrained(
        TINY / "model", num_labels=LABELS, dtype=torch.float32, attn_implementation="eager"
    )
    kind = settings["adapter"]
    if kind == "bottleneck":
        base.requires_grad_(False)
        for layer in base.model.layers:
            for part, names in ((layer.self_attn, ["q_proj", "v_proj"]), (layer.mlp, ["up_proj", "down_proj"])):
                for name in names:
                    setattr(part, name, Bottleneck(getattr(part, name), settings))
        base.score.requires_grad_(True)
        return base.eval()
    if kind == "ia3":
        config = IA3Config(
            task_type="SEQ_CLS", target_modules=settings["target_modules"], feedforward_modules=["down_proj"]
        )
    else:
        lora = settings.get("lora", settings)
        config = LoraConfig(
            task_type="SEQ_CLS", r=lora["rank"], lora_alpha=lora["alpha"], lora_dropout=0.0,
            target_modules=lora["target_modules"], use_dora=kind == "dora",
            use_rslora=settings.get("rank_stabilised", False),
            init_lora_weights="pissa" if settings.get("init") == "pissa" else True,
        )
    return get_peft_model(base, config).eval()


def parameters(model):
    """Trained parameters by the names of the adapter file."""
    found = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            name = name.replace(".default", "").replace("modules_to_save.", "")
            name = name.replace("lora_magnitude_vector.weight", "lora_magnitude_vector")
            found[name if name.startswith("base_model") else f"base_model.model.{name}"] = parameter
    return found


def loss_of(model, tokens, lengths, targets):
    longest = int(lengths.max())
    mask = torch.arange(longest)[None] < lengths[:, None]
    result = model(input_ids=tokens[:, :longest], attention_mask=mask.long(), labels=targets)
    return result.loss, result.logits


def make(name, settings):
    generator = torch.Generator().manual_seed(SEED)
    pool = load_file(TINY / "case.safetensors")
    data = [pool[f"pool/{part}"].long() for part in ("tokens", "lengths", "targets")]
    model = adapted(settings)
    trained = parameters(model)
    out = {}
    with torch.no_grad():
        for key, parameter in trained.items():
            if settings.get("init") == "pissa" and "lora_" in key:
                out[f"start/{key}"] = parameter.clone()
            if "magnitude" in key:
                out[f"norms/{key}"] = parameter.clone()
            noise = torch.randn(parameter.shape, generator=generator)
            if "ia3_l" in key or "magnitude" in key:
                parameter.mul_(1 + 0.3 * noise)
            elif settings.get("init") == "pissa" and "lora_" in key:
                parameter.add_(0.1 * noise)
            elif "score" in key:
                parameter.copy_(0.2 * noise)
            elif "lora_B" in key or "adapter_up" in key:
                parameter.copy_(0.1 * noise)
            else:
                parameter.copy_(noise * parameter.shape[1] ** -0.5)
            out[f"adapter/{key}"] = parameter.clone()

    plain = DoraLinearLayer.forward
    if settings.get("detach_norm") is False:
        DoraLinearLayer.forward = whole_gradient
    first = [x[:BATCH] for x in data]
    loss, logits = loss_of(model, *first)
    loss.backward()
    out |= {"logits/adapted": logits.detach(), "loss/mean": loss.detach().reshape(1)}
    out |= {f"gradients/{key}": parameter.grad.clone() for key, parameter in trained.items()}

    # Read only where PEFT merges; the base is put back afterwards.
    if settings["adapter"] != "bottleneck":
        for path in ["self_attn.v_proj", "mlp.down_proj"]:
            module = model.get_submodule(PREFIX + path)
            if not hasattr(module, "base_layer") or (path == "mlp.down_proj" and settings["adapter"] != "ia3"):
                continue
            before = module.base_layer.weight.detach().clone()
            module.merge()
            out[f"merged/{PREFIX}{path}.weight"] = module.base_layer.weight.detach().clone()
            module.merged_adapters.clear()
            module.base_layer.weight.data = before

    if "learning_rate_ratio" in settings:
        optimizer = create_loraplus_optimizer(model, torch.optim.AdamW, lr=RATE, loraplus_lr_ratio=RATIO)
    else:
        optimizer = torch.optim.AdamW(trained.values(), lr=RATE, weight_decay=DECAY)
    losses = []
    for step in range(STEPS):
        half = slice(step % 2 * BATCH, step % 2 * BATCH + BATCH)
        optimizer.zero_grad(set_to_none=True)
        loss, _ = loss_of(model, *(x[half] for x in data))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    DoraLinearLayer.forward = plain
    assert losses[-2] < losses[0] and all(map(math.isfinite, losses)), losses
    out["trace/losses"] = torch.tensor(losses)
    out |= {f"trace/final.{key}": parameter.detach().clone() for key, parameter in trained.items()}
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    if name in SAVED:
        restart = {key: out[f"adapter/{key}"] for key in trained}
        with torch.no_grad():
            for key, parameter in trained.items():
                parameter.copy_(restart[key])
        shutil.rmtree(folder / "peft", ignore_errors=True)
        model.save_pretrained(folder / "peft")
        (folder / "peft" / "README.md").unlink(missing_ok=True)
        config = folder / "peft" / "adapter_config.json"
        settings_by_peft = json.loads(config.read_text()) | {"base_model_name_or_path": "tiny"}
        config.write_text(json.dumps(settings_by_peft, indent=2) + "\n")
    save_file({key: value.contiguous() for key, value in out.items()}, folder / "case.safetensors")
    facts = {
        "seed": SEED, "arithmetic": "float32, one thread", "labels": LABELS, "batch": BATCH, "adapter": settings,
        "learning_rate": RATE, "weight_decay": 0.0 if "learning_rate_ratio" in settings else DECAY,
        "versions": {name: metadata.version(name) for name in ["torch", "transformers", "peft"]},
    }
    (folder / "case.json").write_text(json.dumps(facts, indent=1) + "\n")


torch.set_num_threads(1)
for name, settings in CASES.items():
    make(name, settings)

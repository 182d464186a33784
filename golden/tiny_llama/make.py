"""Goldens of a tiny Llama sequence classifier with LoRA, made by transformers and PEFT in float32 on the CPU.

    python make.py

Writes one folder per case: `model/` (a transformers folder with random weights), `case.safetensors`, `case.json`.
Keys of case.safetensors read `section/name`:

    pool       tokens [20, longest], right-padded, with their lengths and targets; all begin with the same `prefix` ids
    adapter    the LoRA and head parameters at the start, by PEFT's names
    blocks     final norm applied to the hidden states after layers 1, 2, … of example 0, every position
    logits     of the first five examples: with the adapter, and of the base with the same head
    loss       mean cross-entropy of the first five examples
    gradients  of that loss, by PEFT's names
    trace_all  ten AdamW steps, every layer training: batches, learning rates, losses, gradient norms before clipping,
               the parameters at the end
    trace_some the same with other layers active in every step; a frozen parameter is not stepped at all
"""

import json
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForSequenceClassification, get_linear_schedule_with_warmup

HERE = Path(__file__).parent
PREFIX, LABELS, VOCABULARY, PAD = 6, 5, 199, 198
EXAMPLES, BATCH, STEPS, WARMUP = 20, 5, 10, 3
LLAMA3 = {
    "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
CASES = {
    "three_layers": {
        "seed": 31, "dtype": torch.bfloat16, "rank": 4, "alpha": 8, "max_grad_norm": 8.0, "classic_config": False,
        "targets": ["q_proj", "k_proj", "v_proj", "up_proj", "down_proj"],
        "config": {
            "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 160,
            "num_hidden_layers": 3, "tie_word_embeddings": False,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        },
    },
    "six_layers": {
        "seed": 32, "dtype": torch.float32, "rank": 3, "alpha": 6, "max_grad_norm": 8.0, "classic_config": True,
        "targets": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 1, "intermediate_size": 80,
            "num_hidden_layers": 6, "tie_word_embeddings": True,
            "rope_parameters": {"rope_theta": 5000.0, **LLAMA3},
        },
    },
}


def pool(random, pad):
    """Token ids below `pad` with a common beginning, lengths just above it and on both sides of 16 and 32, and targets."""
    lengths = np.array([17, 7, 32, 12, 24, 33, 16, 31, 9, 15] + list(random.integers(7, 34, EXAMPLES - 10)))
    tokens = np.full((EXAMPLES, lengths.max()), pad)
    shared = random.integers(3, pad, PREFIX)
    for row, length in zip(tokens, lengths):
        row[:length] = np.concatenate([shared, random.integers(3, pad, length - PREFIX)])
    tokens[:, PREFIX] = 3 + np.arange(EXAMPLES)  # no two examples share more than the prefix
    # Labels that can be learnt, so that the losses of a trace move.
    targets = tokens[np.arange(EXAMPLES), lengths - 1] % LABELS
    return torch.tensor(tokens), torch.tensor(lengths), torch.tensor(targets)


def draw(model, dtype, generator):
    """Random weights that are exact in `dtype`, none of them zero."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name:
                value = 1 + 0.2 * noise
            elif "embed" in name:
                value = noise
            elif name.endswith("bias"):
                value = 0.5 * noise
            else:
                value = noise * 1.5 * parameter.shape[1] ** -0.5
            parameter.copy_(value.to(dtype).float())


def make_base(case, folder, generator):
    config = LlamaConfig(
        vocab_size=VOCABULARY, max_position_embeddings=128, rms_norm_eps=1e-5, pad_token_id=PAD, bos_token_id=0,
        eos_token_id=1, num_labels=LABELS, attn_implementation="eager", **case["config"],
    )
    model = LlamaForSequenceClassification(config).eval()
    draw(model, case["dtype"], generator)
    folder.mkdir(parents=True, exist_ok=True)
    # A base as published is a language model: no classification head in the file.
    weights = {n: p.detach().to(case["dtype"]) for n, p in model.named_parameters() if "score" not in n}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    settings = {k: v for k, v in config.to_diff_dict().items() if k not in ("id2label", "label2id")}
    settings |= {"architectures": ["LlamaForCausalLM"], "dtype": str(case["dtype"]).removeprefix("torch.")}
    if case["classic_config"]:  # the names used before transformers 5, which most published folders have
        rope = settings.pop("rope_parameters")
        settings["rope_theta"] = rope.pop("rope_theta")
        settings["rope_scaling"] = rope
        settings["torch_dtype"] = settings.pop("dtype")
    (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
    words = {"<s>": 0, "</s>": 1, "<unk>": 2} | {f"w{i}": i for i in range(3, VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    return model


def adapted(base, case):
    config = LoraConfig(
        task_type="SEQ_CLS", r=case["rank"], lora_alpha=case["alpha"], lora_dropout=0.0,
        target_modules=case["targets"],
    )
    return get_peft_model(base, config).eval()


def parameters(model):
    """Trainable parameters by the names of the adapter file."""
    return {
        name.replace(".default", "").replace("modules_to_save.", ""): parameter
        for name, parameter in model.named_parameters()
        if "lora_" in name or "modules_to_save" in name
    }


def loss_of(model, tokens, lengths, targets):
    longest = int(lengths.max())
    mask = torch.arange(longest)[None] < lengths[:, None]
    result = model(input_ids=tokens[:, :longest], attention_mask=mask.long(), labels=targets)
    return result.loss, result.logits


def other_order(model):
    """An attention that sums in another order, where the model has one."""
    return "sdpa" if model.base_model.model._supports_sdpa else "eager"


def restart(model, start):
    with torch.no_grad():
        for name, parameter in parameters(model).items():
            parameter.copy_(start[name])


def relative(found, expected):
    return float(f"{(found - expected).abs().max() / expected.abs().max():.3g}")


def gradients_of(model, batch):
    """Loss, logits and the gradient of every parameter."""
    model.zero_grad(set_to_none=True)
    for parameter in parameters(model).values():
        parameter.requires_grad_()
    loss, logits = loss_of(model, *batch)
    loss.backward()
    return loss.detach(), logits.detach(), {key: p.grad.clone() for key, p in parameters(model).items()}


def layer_of(name):
    return int(name.split(".layers.")[1].split(".")[0]) if ".layers." in name else None


def trace(model, data, order, active, settings):
    """Training steps; returns what each reported and the parameters at the end."""
    trained = parameters(model)
    optimizer = torch.optim.AdamW(
        trained.values(), lr=settings["learning_rate"], betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"], weight_decay=settings["weight_decay"],
    )
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, rates, norms = [], [], []
    for indices, layers in zip(order, active):
        for name, parameter in trained.items():
            layer = layer_of(name)
            parameter.requires_grad_(layer is None or bool(layers[layer]))
        optimizer.zero_grad(set_to_none=True)
        loss, _ = loss_of(model, *(x[indices] for x in data))
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(trained.values(), settings["max_grad_norm"]).item())
        rates.append(schedule.get_last_lr()[0])
        losses.append(loss.item())
        optimizer.step()
        schedule.step()
    final = {f"final.{name}": p.detach().clone() for name, p in trained.items()}
    report = {"losses": losses, "learning_rates": rates, "gradient_norms": norms}
    report = {name: torch.tensor(values) for name, values in report.items()}
    return report | {"order": order.int(), "active": active.int()} | final


def make(folder, case, make_base, pad):
    """Writes the case of a classifier that `make_base(case, folder, generator)` makes and saves."""
    generator = torch.Generator().manual_seed(case["seed"])
    random = np.random.default_rng(case["seed"])
    data = tokens, lengths, targets = pool(random, pad)
    base = make_base(case, folder / "model", generator)
    out = {"pool/tokens": tokens.int(), "pool/lengths": lengths.int(), "pool/targets": targets.int()}

    score = torch.randn(base.score.weight.shape, generator=generator) * 0.2
    with torch.no_grad():
        base.score.weight.copy_(score)
    first = [x[:BATCH] for x in data]
    with torch.no_grad():
        out["logits/base"] = loss_of(base, *first)[1]

    model = adapted(base, case)
    start = {}
    for key, parameter in parameters(model).items():
        scale = 0.1 if "lora_B" in key else parameter.shape[1] ** -0.5
        start[key] = score if "score" in key else torch.randn(parameter.shape, generator=generator) * scale
    restart(model, start)
    out |= {f"adapter/{key}": value.clone() for key, value in start.items()}

    decoder = model.base_model.model.model
    decoder = getattr(decoder, "language_model", decoder)
    with torch.no_grad():
        every_layer = decoder.layers
        for depth in range(1, len(every_layer) + 1):
            decoder.layers = every_layer[:depth]
            states = decoder(input_ids=tokens[:1, : lengths[0]]).last_hidden_state[0]
            out[f"blocks/{depth}"] = states.clone()
        decoder.layers = every_layer

    loss, logits, gradients = gradients_of(model, first)
    out |= {"logits/adapted": logits, "loss/mean": loss.reshape(1)}
    out |= {f"gradients/{key}": gradient for key, gradient in gradients.items()}

    layers = case["config"]["num_hidden_layers"]
    settings = {
        "learning_rate": 5e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0,
        "max_grad_norm": case["max_grad_norm"],
    }
    traces = {"trace_all": settings, "trace_some": settings | {"weight_decay": 0.05}}
    sdpa = {}
    for section, settings in traces.items():
        restart(model, start)
        order = torch.tensor(np.array([random.choice(EXAMPLES, BATCH, replace=False) for _ in range(STEPS)]))
        active = np.ones((STEPS, layers), dtype=int)
        if section == "trace_some":
            active = random.integers(0, 2, (STEPS, layers))
            active[np.arange(STEPS), random.integers(0, layers, STEPS)] = 1
        report = trace(model, data, order, torch.tensor(active), settings)
        norms = report["gradient_norms"]
        assert norms.min() < settings["max_grad_norm"] < norms.max(), f"clipping is not exercised: {norms}, {report['losses']}"
        out |= {f"{section}/{key}": value for key, value in report.items()}
        # The same arithmetic in another order: how far float32 alone lets two right answers differ.
        restart(model, start)
        model.base_model.model.set_attn_implementation(other_order(model))
        again = trace(model, data, order, torch.tensor(active), settings)
        model.base_model.model.set_attn_implementation("eager")
        finals = [key for key in report if key.startswith("final")]
        sdpa[f"{section}_losses"] = relative(again["losses"], report["losses"])
        sdpa[f"{section}_final"] = max(relative(again[key], report[key]) for key in finals)

    # What another order of sums and what 16 bits cost PyTorch itself: yardsticks for our own tolerances.
    restart(model, start)
    model.base_model.model.set_attn_implementation(other_order(model))
    found = {"sdpa": gradients_of(model, first)}
    model.base_model.model.set_attn_implementation("eager")
    found["bf16"] = gradients_of(model.to(torch.bfloat16), first)
    yardsticks = {
        name: {
            "logits": relative(other_logits.float(), logits),
            "gradients": max(relative(other[key].float(), gradients[key]) for key in gradients),
        }
        for name, (_, other_logits, other) in found.items()
    }
    yardsticks["sdpa"] |= sdpa
    save_file({key: value.contiguous() for key, value in out.items()}, folder / "case.safetensors")
    facts = {
        "seed": case["seed"], "arithmetic": "float32, one thread", "prefix": PREFIX, "labels": LABELS,
        "batch": BATCH, "rank": case["rank"], "alpha": case["alpha"], "target_modules": case["targets"],
        "traces": traces,
        "errors_of_torch_itself": yardsticks,
        "versions": {name: metadata.version(name) for name in ["torch", "transformers", "peft"]},
    }
    (folder / "case.json").write_text(json.dumps(facts, indent=1) + "\n")


torch.set_num_threads(1)
if __name__ == "__main__":
    for name, case in CASES.items():
        make(HERE / name, case, make_base, PAD)

"""Adapter folders as HF PEFT itself writes them, and a check of folders that irtune wrote.

    python make.py                       writes the folders and case.json beside this file
    python make.py base FOLDER           writes a tiny base model (config.json, model.safetensors)
    python make.py check BASE ADAPTER    loads an adapter folder over a base with PEFT; fails on any warning, on a
                                         parameter that differs from the file, or on labels that don't fit

case.json tells of each folder what the adapter does to its base: the scaling and the Frobenius norm of scaling * B A of
each adapted module (computed here in float64 from PEFT's own modules), and the sum of the head.
"""

import json
import shutil
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import safe_open
from transformers import AutoConfig, LlamaConfig, LlamaForSequenceClassification

HERE = Path(__file__).parent
SEED = 41
FOLDERS = {
    "list": dict(target_modules=["q_proj", "v_proj", "down_proj"]),
    "all_linear_bf16": dict(target_modules="all-linear"),
    "pattern": dict(target_modules=r".*layers\.1\..*\.(k_proj|up_proj)"),
    "one_layer": dict(target_modules=["o_proj", "gate_proj"], layers_to_transform=[1]),
    "rank_stabilised": dict(target_modules=["q_proj"], use_rslora=True),
    "patterns": dict(
        target_modules=["q_proj", "v_proj", "up_proj"],
        rank_pattern={r"layers\.1\.self_attn\.(q|v)_proj": 3, "v_proj": 1, "mlp.up_proj": 4},
        alpha_pattern={"model.layers.0.mlp.up_proj": 10, "up_proj": 5},
    ),
}


def base_config():
    return LlamaConfig(
        vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )


def classifier(labels):
    config = base_config()
    config.num_labels = labels
    return LlamaForSequenceClassification(config)


def make_folder(name, options):
    torch.manual_seed(SEED)
    model = get_peft_model(
        classifier(3), LoraConfig(r=2, lora_alpha=6, lora_dropout=0.25, task_type="SEQ_CLS", **options)
    )
    for parameter, values in model.named_parameters():
        if "lora_" in parameter or "modules_to_save" in parameter:
            torch.nn.init.normal_(values, std=0.5)
    if name.endswith("bf16"):
        model = model.to(torch.bfloat16)
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    modules, scalings = {}, {}
    for path, module in model.named_modules():
        if hasattr(module, "lora_A") and "default" in module.lora_A:
            a, b = (side["default"].weight.detach().double() for side in (module.lora_A, module.lora_B))
            path, scaling = path.removeprefix("base_model.model."), module.scaling["default"]
            modules[path], scalings[path] = (scaling * (b @ a)).norm().item(), scaling
    head = model.base_model.model.score.modules_to_save["default"].weight.detach().double()
    return {"scalings": scalings, "modules": modules, "labels": head.shape[0], "head_sum": head.sum().item()}


def make():
    cases = {name: make_folder(name, options) for name, options in FOLDERS.items()}
    base_config().to_json_file(HERE / "base_config.json", use_diff=False)
    versions = {name: version(name) for name in ("torch", "transformers", "peft")}
    case = {"seed": SEED, "versions": versions, "relative_tolerance": 1e-12, "folders": cases}
    (HERE / "case.json").write_text(json.dumps(case, indent=1) + "\n")


def make_base(folder):
    torch.manual_seed(SEED)
    from transformers import LlamaForCausalLM

    LlamaForCausalLM(base_config()).save_pretrained(folder)


def forbid_warnings():
    warnings.simplefilter("error")
    # PEFT calls parts of transformers that are on their way out: no matter of the folder.
    warnings.simplefilter("ignore", FutureWarning)


def check(base, folder):
    forbid_warnings()
    config = AutoConfig.from_pretrained(folder)
    stored = {}
    with safe_open(Path(folder) / "adapter_model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}, file.metadata()
        stored = {name: file.get_tensor(name) for name in file.keys()}
    labels = stored["base_model.model.score.weight"].shape[0]
    assert config.num_labels == labels and len(config.id2label) == len(config.label2id) == labels
    assert config.architectures == ["LlamaForSequenceClassification"] and config.pad_token_id is not None
    own, reference = config.to_dict(), AutoConfig.from_pretrained(base).to_dict()
    for key in ("hidden_size", "num_key_value_heads", "head_dim", "rms_norm_eps", "rope_parameters", "vocab_size"):
        assert own[key] == reference[key], (key, own[key], reference[key])
    # The base has no head, of which transformers rightly warns; the adapter brings it.
    warnings.simplefilter("default")
    model = LlamaForSequenceClassification.from_pretrained(base, config=config, dtype=torch.float32)
    forbid_warnings()
    model = PeftModel.from_pretrained(model, folder)
    loaded = 0
    for name, values in model.state_dict().items():
        if ".lora_" in name or ".ia3_l" in name or "modules_to_save" in name:
            key = name.replace(".default", "").replace(".modules_to_save", "")
            key = key.replace("lora_magnitude_vector.weight", "lora_magnitude_vector")
            assert torch.equal(values, stored.pop(key)), name
            loaded += 1
    assert not stored and loaded, stored.keys()
    logits = model(torch.tensor([[1, 5, 7]])).logits
    assert logits.shape == (1, labels) and torch.isfinite(logits).all()
    print(f"{folder}: {loaded} parameters, logits {logits.tolist()}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            make()
        case ["base", folder]:
            make_base(folder)
        case ["check", base, folder]:
            check(base, folder)
        case _:
            sys.exit(__doc__)

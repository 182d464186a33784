"""What other tools do with what irtune writes and reads: the lines of docs/interop.md that need no irtune, seen.

    pip install -r requirements.txt
    python traps.py            # all of them
    python traps.py merge      # those whose name begins so

Every function shows one behaviour on a tiny random model and fails when it is no longer so.
"""

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
warnings.filterwarnings("ignore")

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import (
    AutoModelForSequenceClassification, AutoTokenizer, LlamaConfig, LlamaForSequenceClassification, pipeline,
)

SIZES = dict(
    vocab_size=259, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
    num_key_value_heads=2, pad_token_id=258, eos_token_id=257, bos_token_id=256,
)
TOKENS = torch.tensor([[5, 9, 7, 31, 80, 12]])


def base(dtype="float32", labels=3):
    torch.manual_seed(0)
    return LlamaForSequenceClassification(LlamaConfig(num_labels=labels, **SIZES)).to(getattr(torch, dtype))


def adapted(model, **changes):
    """A classifier with an adapter whose matrices are not at their start."""
    torch.manual_seed(1)
    config = LoraConfig(**{**dict(task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=["q_proj", "up_proj"]), **changes})
    model = get_peft_model(model, config)
    for name, values in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(values, std=0.02)
    return model.eval()


def byte_tokenizer():
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>", "<pad>"])
    return tokenizer


def saved_base(folder, dtype="float32", **settings):
    base(dtype).save_pretrained(folder)
    byte_tokenizer().save(str(folder / "tokenizer.json"))
    settings = {"eos_token": "</s>", "pad_token": "<pad>", **settings}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def dtypes_of_a_loaded_adapter(folder):
    """transformers' own loader makes an adapter's LoRA bf16 over a bf16 base, PeftModel keeps it f32."""
    saved_base(folder / "base", "bfloat16")
    adapted(base()).save_pretrained(folder / "adapter")
    settings = json.loads((folder / "adapter/adapter_config.json").read_text())
    settings["base_model_name_or_path"] = str(folder / "base")
    (folder / "adapter/adapter_config.json").write_text(json.dumps(settings))
    first = lambda model: next(values.dtype for name, values in model.named_parameters() if "lora_A" in name)
    whole = AutoModelForSequenceClassification.from_pretrained(folder / "adapter", num_labels=3, dtype="bfloat16")
    model = AutoModelForSequenceClassification.from_pretrained(folder / "base", num_labels=3, dtype="bfloat16")
    kept = first(PeftModel.from_pretrained(model, folder / "adapter"))
    print(f"  by from_pretrained {first(whole)}, by PeftModel {kept}")
    return (first(whole), kept) == (torch.bfloat16, torch.float32)


def merge_over_bf16_rounds(_):
    """PEFT's merge over a bf16 base rounds every weight, and a part of what was trained is lost."""
    model = adapted(base("bfloat16"))
    for name, values in model.named_parameters():
        if "lora_B" in name:  # as large as a short training makes them
            torch.nn.init.normal_(values, std=5e-4)
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    delta = layer.get_delta_weight("default").float()
    before = layer.base_layer.weight.detach().float().clone()
    model.merge_adapter()
    lost = ((layer.base_layer.weight.float() - before) - delta).norm() / delta.norm()
    print(f"  {lost:.0%} of the delta's norm")
    return lost > 0.02


def pipeline_reads_the_first_of_a_tuple(folder):
    """A pair given to a pipeline as a tuple is classified by its first text alone."""
    saved_base(folder)
    classify = pipeline("text-classification", model=str(folder), top_k=None)
    score = lambda inputs: [round(one["score"], 6) for one in sorted(classify(inputs)[0], key=lambda one: one["label"])]
    pair, first = score([("one text", "two word")]), score(["one text"])
    both = [
        round(one["score"], 6)
        for one in sorted(classify({"text": "one text", "text_pair": "two word"}), key=lambda one: one["label"])
    ]
    print(f"  tuple {pair}, first text {first}, text and text_pair {both}")
    return pair == first != both


def labels_are_two_tables(_):
    """`id2label` and `label2id` are not kept in step."""
    config = LlamaConfig(num_labels=2, **SIZES)
    config.id2label = {0: "clarity", 1: "fluency"}
    print(f"  id2label {config.id2label}, label2id {config.label2id}")
    return set(config.label2id) != set(config.id2label.values())


def missing_layer_passes(folder):
    """`layers_to_transform` naming a layer that there isn't passes silently when another matches."""
    model = adapted(base(), layers_to_transform=[1, 7])
    layers = {name.split("layers.")[1].split(".")[0] for name, _ in model.named_parameters() if "lora_" in name}
    print(f"  asked for layers 1 and 7, adapted {sorted(layers)}")
    return layers == {"1"}


def unload_leaves_the_head(folder):
    """`unload()` leaves the trained head in the base."""
    plain = base()
    before = plain.score.weight.detach().clone()
    model = adapted(plain)
    with torch.no_grad():
        model.base_model.model.score.modules_to_save["default"].weight.add_(1.0)
    after = model.unload().score.weight
    print(f"  largest change of the head {(after - before).abs().max().item():.1f}")
    return not torch.equal(after, before)


def merged_adapter_keeps_the_active_head(folder):
    """Merging a named adapter keeps the head of the active one."""
    model = adapted(base())
    model.add_adapter("second", LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["q_proj", "up_proj"]))
    heads = model.base_model.model.score.modules_to_save
    with torch.no_grad():
        heads["second"].weight.fill_(2.0)
        heads["default"].weight.fill_(1.0)
    model.set_adapter("default")
    head = model.merge_and_unload(adapter_names=["second"]).score.weight
    print(f"  merged `second`, whose head is 2: the head is {head.mean().item():.0f}")
    return head.mean().item() == 1.0


def qwen2_replaces_a_tokenizers_parts(folder):
    """`model_type` qwen2 replaces a tokenizer.json's normaliser and pre-tokeniser, whatever class the folder names."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = byte_tokenizer()
    tokenizer.normalizer = normalizers.Lowercase()
    text = "One TEXT"
    expected = tokenizer.encode(text).ids
    found = {}

    def is_the_files(loader, place):
        try:
            return loader.from_pretrained(place)(text)["input_ids"] == expected
        except Exception:  # parts that don't fit the vocabulary
            return False

    for model_type in ("qwen2", "gemma"):
        for settings in ({}, {"tokenizer_class": "PreTrainedTokenizerFast"}):
            place = folder / f"{model_type}{len(settings)}"
            place.mkdir()
            tokenizer.save(str(place / "tokenizer.json"))
            (place / "config.json").write_text(json.dumps({"model_type": model_type, "vocab_size": 259}))
            (place / "tokenizer_config.json").write_text(json.dumps(settings))
            named = "with the class" if settings else "without a class"
            found[f"{model_type} {named}"] = is_the_files(AutoTokenizer, place)
            found[f"{model_type} by the class itself"] = is_the_files(PreTrainedTokenizerFast, place)
    print(f"  the file's own ids: {found}")
    return found == {
        "qwen2 without a class": False, "qwen2 by the class itself": True, "qwen2 with the class": False,
        "gemma without a class": False, "gemma by the class itself": True, "gemma with the class": True,
    }


def numpy_writer_scrambles_transposed_views(folder):
    """safetensors' numpy writer stores a transposed view in the order of its memory, under the view's shape."""
    from safetensors.numpy import load_file, save_file

    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    save_file({"view": values.T}, folder / "view.safetensors")
    read = load_file(folder / "view.safetensors")["view"]
    print(f"  written {values.T.tolist()}, read {read.tolist()}")
    return not np.array_equal(read, values.T)


def gguf_needs_num_labels(folder):
    """A GGUF becomes a classifier with `num_labels` or its own classifier's config, and is saved only if dequantised."""
    from transformers import GgufConfig

    place = Path(__file__).parents[2] / "golden/tiny_families/llama/untied"
    load = lambda **more: AutoModelForSequenceClassification.from_pretrained(place, gguf_file="model.gguf", dtype="float32", **more)
    works = load(num_labels=3).config.num_labels == 3

    def fails(what):
        try:
            what()
        except Exception as error:
            return f"{type(error).__name__}"
        return None

    config = LlamaConfig(**{**load(num_labels=3).config.to_dict(), "num_labels": 3})
    found = {
        "with num_labels": works,
        "with config": fails(lambda: load(config=config)),
        "saving": fails(lambda: load(num_labels=3).save_pretrained(folder / "saved")),
        "saving, dequantised": fails(
            lambda: load(num_labels=3, quantization_config=GgufConfig(dequantize=True)).save_pretrained(folder / "saved")
        ),
    }
    print(f"  {found}")
    return works and not found["with config"] and found["saving"] and not found["saving, dequantised"]


def accumulation_multiplies_the_loss(folder):
    """`gradient_accumulation_steps` multiplies a classifier's loss and gradient in Trainer."""
    from transformers import Trainer, TrainingArguments

    rows = [{"input_ids": [5 + i, 9, 7, 31], "labels": i % 3} for i in range(8)]
    norms = {}
    for steps in (1, 4):
        options = TrainingArguments(
            output_dir=str(folder / str(steps)), per_device_train_batch_size=8 // steps, gradient_accumulation_steps=steps,
            max_steps=1, logging_steps=1, report_to=[], use_cpu=True, max_grad_norm=1e9, seed=0, learning_rate=0.0,
        )
        trainer = Trainer(base().eval(), options, train_dataset=rows)
        trainer.train()
        norms[steps] = trainer.state.log_history[0]
    print(f"  the same eight rows: {({steps: (round(log['loss'], 3), round(float(log['grad_norm']), 3)) for steps, log in norms.items()})}")
    return norms[4]["grad_norm"] > 3 * norms[1]["grad_norm"]


def absent_class_in_four_ways(_):
    """scikit-learn counts a class without test examples in four ways."""
    from sklearn.metrics import average_precision_score, classification_report, f1_score, recall_score

    truth, given = ["a", "a", "b", "b"], ["a", "a", "b", "b"]
    labels = ["a", "b", "c"]
    report = classification_report(truth, given, labels=labels, output_dict=True, zero_division=0)
    hot = lambda names: np.array([[name == label for label in labels] for name in names], float)
    found = {
        "f1_score of the labels that occur": f1_score(truth, given, average="macro"),
        "f1_score of the labels given": f1_score(truth, given, labels=labels, average="macro", zero_division=0),
        "its zero_division=nan": f1_score(truth, given, labels=labels, average="macro", zero_division=np.nan),
        "average precision": average_precision_score(hot(truth), hot(given), average="macro"),
        "support": report["c"]["support"],
    }
    print(f"  {found}")
    values = list(found.values())
    return values[0] == 1.0 and abs(values[1] - 2 / 3) < 1e-9 and values[2] == 1.0


CHECKS = [
    dtypes_of_a_loaded_adapter, merge_over_bf16_rounds, pipeline_reads_the_first_of_a_tuple, labels_are_two_tables,
    missing_layer_passes, unload_leaves_the_head, merged_adapter_keeps_the_active_head, qwen2_replaces_a_tokenizers_parts,
    numpy_writer_scrambles_transposed_views, gguf_needs_num_labels, accumulation_multiplies_the_loss, absent_class_in_four_ways,
]
changed = []
for check in CHECKS:
    if sys.argv[1:] and not any(check.__name__.startswith(name) for name in sys.argv[1:]):
        continue
    print(f"{check.__name__}: {check.__doc__}")
    with tempfile.TemporaryDirectory() as place:
        if not check(Path(place)):
            changed.append(check.__name__)
            print("  CHANGED")
sys.exit(f"changed: {', '.join(changed)}" if changed else 0)

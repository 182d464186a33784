"""Trains tiny classifiers with irtune, hands them to transformers and PEFT, and compares what they say.

    pip install -r requirements.txt
    python hand_over.py IRTUNE

IRTUNE is the program. Bases and pairs are made here: a random Llama with a tokenizer of bytes, with and without a padding
token, with a tokenizer that appends `</s>`, and one that cuts and fills up texts. Prompts end openly, with the end token, or
with the padding token; some revised texts end with the end token's name. For each the adapter in PEFT, the adapter folder in
`from_pretrained`, the merged folder in `from_pretrained` and in `pipeline`, one text at a time and in batches, must give irtune's
probabilities. Exits with 1 beyond 1e-4.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
from peft import PeftModel
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, LlamaConfig, LlamaForCausalLM, pipeline,
)

PROGRAM = Path(sys.argv[1]).resolve()
PROMPTS = {
    "open": "{original}\n{revised}",
    "ended": "<s>user\n{original}\n{revised}</s>",
    "padded": "{original}\n{revised}<pad>",
}
# Beside LoRA, over one base and prompt. transformers' own loader leaves DoRA's magnitudes at their start.
ADAPTERS = {
    "dora": ["--adapter", "dora"],
    "pissa": ["--lora-init", "pissa"],
    "ia3": ["--adapter", "ia3"],
    "ranks by pattern": ["--rank-pattern", "q_proj=3,layers.1.self_attn.v_proj=5"],
}
BASES = {
    "a padding token": dict(pad="<pad>"),
    "no padding token": dict(pad=None),
    "appends </s>": dict(pad="<pad>", appends=True),
    "appends </s>, no padding token": dict(pad=None, appends=True),
    "cuts and fills up": dict(pad="<pad>", limits=True),
}


def make_base(folder, pad, appends=False, limits=False):
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>", "<pad>"])
    if appends:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 256), ("</s>", 257)])
    if limits:
        tokenizer.enable_truncation(8)
        tokenizer.enable_padding(length=400, pad_id=258, pad_token="<pad>")
    sizes = dict(
        vocab_size=259, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, initializer_range=0.3,
    )
    torch.manual_seed(0)
    config = LlamaConfig(**sizes, bos_token_id=256 if appends else None, eos_token_id=257, pad_token_id=pad and 258)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", **({"pad_token": pad} if pad else {})}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def pairs(path, count):
    """Three labels; every fourth revised text ends with the name of a special token."""
    with path.open("w") as file:
        for i in range(count):
            ends = ["", "", "", ["</s>", "<pad>", "</s></s>"][i // 4 % 3]][i % 4]
            row = {"original": f"The {i} cat sit.", "revised": f"The {i} cat {'sits sat sitting'.split()[i % 3]}.{ends}"}
            file.write(json.dumps(row | {"label": "abc"[i % 3]}) + "\n")


def irtune(*arguments):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"irtune {' '.join(map(str, arguments))}:\n{done.stderr}")
    return done.stdout


def probabilities(model, tokenizer, texts, batch):
    found = []
    for first in range(0, len(texts), batch):
        inputs = tokenizer(texts[first : first + batch], return_tensors="pt", padding=batch > 1)
        with torch.no_grad():
            found.append(model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).logits.softmax(-1))
    return torch.cat(found)


def compare(folder, name, adapter=()):
    """The largest difference of a probability, by how the model was handed over."""
    base, template = folder / "base", PROMPTS[name]
    (folder / name).write_text(template)
    kind = "-".join([name, *adapter]).replace("--", "")
    run, merged = folder / f"{kind}-run", folder / f"{kind}-merged"
    irtune(
        "train", "--base", base, "--train", folder / "train.jsonl", "--head", "pooled", "--prompt", folder / name, "--stack",
        "false", "--max-length", 300, "--max-steps", 12, "--learning-rate", "0.02", "--batch-size", 4, "--precision", "f32",
        "--threads", 1, "--out", run, *adapter,
    )
    irtune("merge", "--run", run, "--out", merged)
    said = irtune("predict", "--run", run, "--data", folder / "test.jsonl", "--precision", "f32", "--uncalibrated", "--threads", 1)
    expected = torch.tensor([list(json.loads(line)["probabilities"].values()) for line in said.splitlines()])
    rows = [json.loads(line) for line in (folder / "test.jsonl").open()]
    texts = [template.format(**row) for row in rows]
    worst = {}

    def seen(way, found):
        worst[way] = max(worst.get(way, 0.0), (found - expected).abs().max().item())

    config = AutoConfig.from_pretrained(run / "adapter" / "classifier.json")
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.backend_tokenizer.no_truncation(), tokenizer.backend_tokenizer.no_padding()
    tokenizer.pad_token_id = config.pad_token_id
    model = AutoModelForSequenceClassification.from_pretrained(base, config=config, dtype="float32")
    in_peft = PeftModel.from_pretrained(model, run / "adapter").eval()
    from_folder = None
    if "dora" not in adapter:
        from_folder = AutoModelForSequenceClassification.from_pretrained(run / "adapter", config=config, dtype="float32").eval()
    own = AutoTokenizer.from_pretrained(merged)
    whole = AutoModelForSequenceClassification.from_pretrained(merged).eval()
    for batch in (1, 5):
        seen(f"adapter in PEFT, {batch} at a time", probabilities(in_peft, tokenizer, texts, batch))
        if from_folder:
            seen(f"adapter folder in from_pretrained, {batch} at a time", probabilities(from_folder, tokenizer, texts, batch))
        seen(f"merged folder, {batch} at a time", probabilities(whole, own, texts, batch))
        classify = pipeline("text-classification", model=str(merged), top_k=None)
        scores = [{one["label"]: one["score"] for one in answer} for answer in classify(texts, batch_size=batch)]
        seen(f"merged folder in pipeline, {batch} at a time", torch.tensor([[score[label] for label in "abc"] for score in scores]))
    # What reads tokenizer.json without transformers sees whole texts.
    plain = Tokenizer.from_file(str(merged / "tokenizer.json"))
    worst["merged tokenizer.json, other lengths"] = float(any(plain.encode(text).ids != own(text)["input_ids"] for text in texts))
    return worst


failed = False
for title, settings in BASES.items():
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        (place / "base").mkdir()
        make_base(place / "base", **settings)
        pairs(place / "train.jsonl", 48)
        pairs(place / "test.jsonl", 24)
        cases = [(name, name, ()) for name in PROMPTS]
        if settings == dict(pad="<pad>"):
            cases += [(f"open, {adapter}", "open", more) for adapter, more in ADAPTERS.items()]
        for case, name, adapter in cases:
            worst = compare(place, name, adapter)
            way = max(worst, key=worst.get)
            verdict = "" if worst[way] <= 1e-4 else "  DIFFERS"
            print(f"base with {title}, prompt {case}: at most {worst[way]:.1e} ({way}){verdict}", flush=True)
            failed |= bool(verdict)
sys.exit(failed)

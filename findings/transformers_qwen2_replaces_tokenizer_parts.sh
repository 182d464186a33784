#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0. Needs python3 with venv.
#
# Behaviour: `AutoTokenizer.from_pretrained` of a folder whose config.json says `model_type` qwen2 takes the vocabulary of
# tokenizer.json, but puts a normaliser and a pre-tokeniser of its own in the place of the file's, also where
# tokenizer_config.json says `"tokenizer_class": "PreTrainedTokenizerFast"`. So a model of this type with another tokenizer,
# such as one that was distilled into that architecture, gets other ids, without a warning. For other types (gemma here)
# that class reads the file as it is. `PreTrainedTokenizerFast.from_pretrained` reads it for all.
#
# Output seen:
#   qwen2: the file's ids by AutoTokenizer False, by PreTrainedTokenizerFast True
#   gemma: the file's ids by AutoTokenizer True, by PreTrainedTokenizerFast True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet transformers==5.24.0
cat >look.py <<'SCRIPT'
import json
import os
import pathlib

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

letters = sorted(pre_tokenizers.ByteLevel.alphabet())
tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
tokenizer.normalizer = normalizers.Lowercase()
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.add_special_tokens(["<unk>", "<s>", "</s>", "<pad>", "<eos>", "<bos>", "<|endoftext|>", "<mask>"])
TEXT = "One TEXT"
expected = tokenizer.encode(TEXT).ids


def same(loader, place):
    try:
        return loader.from_pretrained(place)(TEXT)["input_ids"] == expected
    except Exception:  # parts that don't fit the vocabulary
        return False


found = {}
for model_type in ("qwen2", "gemma"):
    place = pathlib.Path(model_type)
    place.mkdir()
    tokenizer.save(str(place / "tokenizer.json"))
    (place / "config.json").write_text(json.dumps({"model_type": model_type, "vocab_size": len(letters) + 8}))
    (place / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    found[model_type] = same(AutoTokenizer, place), same(PreTrainedTokenizerFast, place)
    auto, plain = found[model_type]
    print(f"{model_type}: the file's ids by AutoTokenizer {auto}, by PreTrainedTokenizerFast {plain}")
if found != {"qwen2": (False, True), "gemma": (True, True)}:
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python -W ignore look.py

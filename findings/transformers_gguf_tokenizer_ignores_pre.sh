#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0, gguf 0.19.0 and torch 2.15.0; vocabularies, and the token ids that llama.cpp
# expects of them, from the source package of PyPI llama_cpp_python 0.3.36, of which nothing is built. Needs python3
# with venv, and some 4 GB of disk for torch.
#
# Behaviour: a tokenizer that transformers makes of a GGUF file follows `tokenizer.ggml.model` and not
# `tokenizer.ggml.pre`, the key that says how texts are cut before merging. Ids then differ from llama.cpp's without a
# warning. A Llama 3 vocabulary (pre "llama-bpe") loses its rule that a whole word of the vocabulary is not merged
# piece by piece. A Falcon vocabulary (pre "falcon") loses the cutting of digits by threes from the left.
#
# Output seen:
#   llama-bpe "Cửa Việt": llama.cpp 34 91163 101798, transformers 34 91163 11655 26298 83
#   falcon "3333": llama.cpp 22287 30, transformers 3138 3138
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet transformers==5.24.0 gguf==0.19.0 torch==2.15.0 scikit-build-core cmake ninja
environment/bin/pip download --quiet --no-deps --no-binary :all: --no-build-isolation llama_cpp_python==0.3.36
tar xzf llama_cpp_python-0.3.36.tar.gz --strip-components=4 --wildcards '*/vendor/llama.cpp/models/ggml-vocab-*'
cat >look.py <<'SCRIPT'
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer

SEEN = {
    ("llama-bpe", "Cửa Việt"): ([34, 91163, 101798], [34, 91163, 11655, 26298, 83]),
    ("falcon", "3333"): ([22287, 30], [3138, 3138]),
}
as_seen = True
for (name, text), seen in SEEN.items():
    file = f"ggml-vocab-{name}.gguf"
    texts = open(file + ".inp", encoding="utf-8", newline="").read().split("\n__ggml_vocab_test__\n")
    expected = open(file + ".out").read().split("\n")[texts.index(text)]
    expected = [int(token) for token in expected.split()]
    tokenizer = AutoTokenizer.from_pretrained(".", gguf_file=file)
    made = tokenizer.encode(text, add_special_tokens=False)
    print(f'{name} "{text}": llama.cpp', *expected, end=", ")
    print("transformers", *made)
    as_seen &= (expected, made) == seen
if not as_seen:
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py

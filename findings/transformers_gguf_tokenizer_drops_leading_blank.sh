#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0, gguf 0.19.0 and torch 2.15.0; vocabularies, and the token ids that llama.cpp
# expects of them, from the source package of PyPI llama_cpp_python 0.3.36, of which nothing is built. Needs python3
# with venv, and some 4 GB of disk for torch.
#
# Behaviour: a tokenizer that transformers makes of a GGUF file with a SentencePiece vocabulary (Llama 2's) loses one
# blank at the beginning of a text, so that "Hello world" and " Hello world" have the same ids. llama.cpp, from the same
# file, gives the second one blank more, as Llama 2's own tokenizer does.
#
# Output seen:
#   "Hello world": llama.cpp 15043 3186, transformers 15043 3186
#   " Hello world": llama.cpp 29871 15043 3186, transformers 15043 3186
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
    ("llama-spm", "Hello world"): ([15043, 3186], [15043, 3186]),
    ("llama-spm", " Hello world"): ([29871, 15043, 3186], [15043, 3186]),
}
as_seen = True
for (name, text), seen in SEEN.items():
    file = f"ggml-vocab-{name}.gguf"
    texts = open(file + ".inp", encoding="utf-8", newline="").read().split("\n__ggml_vocab_test__\n")
    expected = open(file + ".out").read().split("\n")[texts.index(text)]
    expected = [int(token) for token in expected.split()]
    tokenizer = AutoTokenizer.from_pretrained(".", gguf_file=file)
    made = tokenizer.encode(text, add_special_tokens=False)
    print(f'"{text}": llama.cpp', *expected, end=", ")
    print("transformers", *made)
    as_seen &= (expected, made) == seen
if not as_seen:
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py

#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0, gguf 0.19.0 and tokenizers 0.23.3; a vocabulary, and the token ids that llama.cpp's
# own tests expect of it, from the source package of PyPI llama_cpp_python 0.3.36, of which nothing is built. Needs python3
# with venv.
#
# Behaviour: llama.cpp and transformers give one text two lists of ids under Qwen 3.5's rules (pre "qwen35"). The text is
# a letter with a combining accent. transformers' class for this tokenizer composes both into one character (NFC) before
# anything else, and the character has a token of its own. llama.cpp's tests expect the letter and the accent as two
# tokens. A GGUF has no key that would say whether text is composed, so a runtime that goes by the file can't know.
#
# Output seen:
#   "e" + U+0301: llama.cpp 68 53839, transformers 963
#   the same composed: transformers 963
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet transformers==5.24.0 gguf==0.19.0 tokenizers==0.23.3 scikit-build-core cmake ninja
environment/bin/pip download --quiet --no-deps --no-binary :all: --no-build-isolation llama_cpp_python==0.3.36
tar xzf llama_cpp_python-0.3.36.tar.gz --strip-components=4 --wildcards '*/vendor/llama.cpp/models/ggml-vocab-qwen35*'
cat >look.py <<'SCRIPT'
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from gguf import GGUFReader
from transformers.models.qwen3_5.tokenization_qwen3_5 import Qwen3_5Tokenizer

file = "ggml-vocab-qwen35.gguf"
texts = open(file + ".inp", encoding="utf-8", newline="").read().split("\n__ggml_vocab_test__\n")
expected = open(file + ".out").read().split("\n")[texts.index("e\u0301")]
expected = [int(token) for token in expected.split()]
fields = GGUFReader(file).fields
vocabulary = {token: index for index, token in enumerate(fields["tokenizer.ggml.tokens"].contents())}
merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"].contents()]
tokenizer = Qwen3_5Tokenizer(vocab=vocabulary, merges=merges)
apart, composed = (tokenizer.encode(text, add_special_tokens=False) for text in ("e\u0301", "\u00e9"))
print('"e" + U+0301: llama.cpp', *expected, end=", ")
print("transformers", *apart)
print("the same composed: transformers", *composed)
if (expected, apart, composed) != ([68, 53839], [963], [963]):
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py

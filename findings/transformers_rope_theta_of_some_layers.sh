#!/usr/bin/env bash
# Packages: PyPI transformers 5.24.0. Needs python3 with venv.
#
# Behaviour: rope_theta at the top of a configuration, the spelling of transformers 4, is read in three ways. Llama's layers
# all turn by it. Of OLMo 3 it reaches the layers that see everything, and those with a window keep 500000: the first of two
# lookups takes the value out of the arguments. Ministral 3 ignores it. Nothing is said of either.
#
# Output seen:
#   llama 12345.0
#   olmo3 full_attention 12345.0, sliding_attention 500000.0
#   ministral3 1000000.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv environment
environment/bin/pip install --quiet transformers==5.24.0
cat >look.py <<'SCRIPT'
import os

os.environ["TRANSFORMERS_VERBOSITY"] = "warning"
from transformers import LlamaConfig, Ministral3Config, Olmo3Config

given = {"rope_theta": 12345.0}
llama = LlamaConfig(**given).rope_parameters["rope_theta"]
olmo3 = {kind: of_kind["rope_theta"] for kind, of_kind in sorted(Olmo3Config(**given).rope_parameters.items())}
ministral3 = Ministral3Config(**given).rope_parameters["rope_theta"]
print("llama", llama)
print("olmo3", ", ".join(f"{kind} {theta}" for kind, theta in olmo3.items()))
print("ministral3", ministral3)
if (llama, list(olmo3.values()), ministral3) != (12345.0, [12345.0, 500000.0], 1000000.0):
    raise SystemExit("changed: this is not what was seen")
SCRIPT
environment/bin/python look.py

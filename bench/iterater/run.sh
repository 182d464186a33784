#!/usr/bin/env bash
# Trains `ir` and `full` on IteraTeR-human with three seeds each, one epoch of the published recipe, and keeps what
# each run says of itself. Usage: bench/iterater/run.sh IRTUNE CORPUS_FOLDER BASE WORK_FOLDER
# CORPUS_FOLDER holds train.jsonl, validation.jsonl and test.jsonl; a run that is already finished is left alone.
set -euo pipefail
irtune=$1 corpus=$2 base=$3 work=$4
results=$(dirname "$0")/../../results/iterater
mkdir -p "$work" "$results"
for seed in 171 172 173; do
  for method in ir full; do
    run=$work/$method-$seed
    if [ ! -e "$run/summary.json" ]; then
      rm -rf "$run"
      "$irtune" train --base "$base" --train "$corpus/train.jsonl" --validation "$corpus/validation.jsonl" \
        --test "$corpus/test.jsonl" --method "$method" --set epochs=1 --set "seed=$seed" --out "$run"
    fi
    mkdir -p "$results/$method-$seed"
    cp "$run/summary.json" "$run/environment.json" "$run/settings.toml" "$results/$method-$seed/"
  done
done

# Speed: a few steps with nothing else on the machine.
for method in ir full; do
  run=$work/speed-$method
  if [ ! -e "$run/summary.json" ]; then
    rm -rf "$run"
    "$irtune" train --base "$base" --train "$corpus/train.jsonl" --validation "$corpus/validation.jsonl" \
      --method "$method" --set max_steps=20 --set eval_every=never --out "$run"
  fi
  mkdir -p "$results/../speed/$method"
  cp "$run/summary.json" "$run/environment.json" "$run/settings.toml" "$results/../speed/$method/"
done

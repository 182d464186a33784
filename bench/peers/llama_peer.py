"""llama.cpp on the tokens that irtune classifies: the prompt processing of each batch, from the same GGUF file.

    python llama_peer.py --base FILE.gguf --data FILE --out FILE [--batch-size 16] [--steps N]

A yardstick for inference, not the same work: there are no adapters, and the last token of each example gets the
logits of the vocabulary instead of a few labels.  All examples of a batch go through the model in one call.
"""

import argparse
import json
import os
import resource
import time
from importlib import metadata
from pathlib import Path

import llama_cpp


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--base", required=True)
    arguments.add_argument("--data", required=True)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--batch-size", type=int, default=16)
    arguments.add_argument("--steps", type=int)
    arguments.add_argument("--warmup-steps", type=int, default=1)
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    options = arguments.parse_args()
    rows = [json.loads(line)["tokens"] for line in Path(options.data).read_text().splitlines()]
    work = [rows[i : i + options.batch_size] for i in range(0, len(rows), options.batch_size)]
    work = work[: options.warmup_steps + options.steps] if options.steps else work
    capacity = max(sum(map(len, batch)) for batch in work)

    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(options.base.encode(), llama_cpp.llama_model_default_params())
    settings = llama_cpp.llama_context_default_params()
    settings.n_batch = settings.n_ubatch = capacity
    settings.n_seq_max = options.batch_size
    # Each example has keys and values of its own: attention over those of all is a sixth slower.
    settings.kv_unified = False
    settings.n_ctx = options.batch_size * max(len(row) for batch in work for row in batch)
    settings.n_threads = settings.n_threads_batch = options.threads
    context = llama_cpp.llama_init_from_model(model, settings)
    tokens_of = llama_cpp.llama_batch_init(capacity, 0, 1)

    seconds, examples, tokens, first_step = [], 0, 0, None
    for step, batch in enumerate(work):
        start = time.perf_counter()
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        place = 0
        for sequence, row in enumerate(batch):
            for position, token in enumerate(row):
                tokens_of.token[place] = token
                tokens_of.pos[place] = position
                tokens_of.n_seq_id[place] = 1
                tokens_of.seq_id[place][0] = sequence
                tokens_of.logits[place] = position + 1 == len(row)
                place += 1
        tokens_of.n_tokens = place
        if llama_cpp.llama_decode(context, tokens_of) != 0:
            raise SystemExit("llama.cpp could not process the batch")
        llama_cpp.llama_synchronize(context)
        first_step = first_step or time.time()
        if step >= options.warmup_steps:
            seconds.append(time.perf_counter() - start)
            examples += len(batch)
            tokens += place
    result = {
        "examples_per_second": examples / sum(seconds), "tokens_per_second": tokens / sum(seconds),
        "examples": examples, "tokens": tokens, "step_seconds": seconds, "threads": options.threads,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "first_step_unix_seconds": first_step,
        "versions": {"llama-cpp-python": metadata.version("llama-cpp-python")},
    }
    Path(options.out).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

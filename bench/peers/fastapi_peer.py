"""A classifier behind FastAPI, as one is usually put together of transformers and PEFT, in its best setting.

    python fastapi_peer.py --base FOLDER --adapter FOLDER --setting bfloat16 [--threads 2] [--batch-size 32]

Requests are {"tokens": [...]}: the token ids of a filled prompt, so that nothing is tokenised while the clock runs.  They
are gathered from all connections into batches, padded to the longest and computed on one thread; the adapter is merged
into the base.  What waits already becomes a batch at once, and the first of a batch waits a few milliseconds for others.
Says `listening on http://ADDRESS` on standard error when it is ready.
"""

import argparse
import asyncio
import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import torch
import uvicorn
from fastapi import FastAPI, Request
from peft import PeftModel
from transformers import AutoConfig, AutoModelForSequenceClassification

PATIENCE = 0.002
SETTINGS = {
    "float32": (torch.float32, False),
    "float32+bfloat16-products": (torch.float32, True),
    "bfloat16": (torch.bfloat16, False),
}


def load(options):
    dtype, rounded = SETTINGS[options.setting]
    if rounded:
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    adapter = Path(options.adapter)
    config = AutoConfig.from_pretrained(str(adapter / "classifier.json"))
    base = AutoModelForSequenceClassification.from_pretrained(
        options.base, config=config, dtype=dtype, attn_implementation="sdpa"
    )
    model = PeftModel.from_pretrained(base, str(adapter)).merge_and_unload().eval()
    model.config.use_cache = False
    return model


def classify(model, rows):
    longest = max(map(len, rows))
    pad = model.config.pad_token_id
    ids = torch.full((len(rows), longest), pad)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=mask).logits.float()
    return torch.softmax(logits, -1).tolist()


def application(model, options):
    queue = asyncio.Queue()
    labels = [model.config.id2label[place] for place in range(model.config.num_labels)]

    async def work():
        while True:
            batch = [await queue.get()]
            await asyncio.sleep(PATIENCE)
            while len(batch) < options.batch_size and not queue.empty():
                batch.append(queue.get_nowait())
            rows = [row for row, _ in batch]
            try:
                answers = await asyncio.get_running_loop().run_in_executor(None, classify, model, rows)
            except Exception as error:
                for _, answer in batch:
                    answer.set_exception(error)
                continue
            for (_, answer), probabilities in zip(batch, answers):
                answer.set_result(probabilities)

    @asynccontextmanager
    async def lifespan(_):
        worker = asyncio.create_task(work())
        yield
        worker.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.post("/classify")
    async def answer(request: Request):
        waiting = asyncio.get_running_loop().create_future()
        await queue.put(((await request.json())["tokens"], waiting))
        probabilities = await waiting
        best = max(range(len(labels)), key=probabilities.__getitem__)
        return {"label": labels[best], "probabilities": dict(zip(labels, probabilities))}

    return app


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(f"listening on http://127.0.0.1:{port} ", file=sys.stderr, flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--base", required=True)
    arguments.add_argument("--adapter", required=True)
    arguments.add_argument("--setting", choices=SETTINGS, default="float32")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--batch-size", type=int, default=32)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    model = load(options)
    settings = uvicorn.Config(application(model, options), port=0, log_level="warning", access_log=False)
    Server(settings).run()


if __name__ == "__main__":
    main()

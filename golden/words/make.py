"""Goldens of classification by the language-model head, made by transformers and PEFT in float32 on the CPU.

    python make.py

The models, examples and adapters are those of `../tiny_llama`; six_layers' head is its embedding, three_layers has one
of its own, which is drawn here. Writes `<case>/case.safetensors` and `<case>/case.json`. Keys read `section/name`:

    words      tokens [labels, longest], right-padded, and their lengths: what each label is called
    head       lm_head.weight, where the model has none
    likelihoods  [examples, labels] of the first five examples, with the adapter and of the base alone: the sum of the
               log-probabilities of a label's tokens after the example, every label in a pass of its own, nothing shared
    loss       mean over the examples of the mean cross-entropy of their own label's tokens
    gradients  of that loss, by PEFT's names
"""

import json
from importlib import metadata
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlamaForCausalLM

HERE = Path(__file__).parent
TINY = HERE.parent / "tiny_llama"
# Of one token, of several, and two that begin alike.
WORDS = [[11], [12, 13], [14, 15, 16], [12, 17], [18]]
PAD = 198


def parameters(model):
    return {n.replace(".default", ""): p for n, p in model.named_parameters() if "lora_" in n}


def scores(model, examples):
    """Log-probabilities of every label's tokens after every example, one sequence at a time."""
    rows = []
    for example in examples:
        row = []
        for words in WORDS:
            ids = torch.tensor([example + words])
            logits = model(input_ids=ids).logits[0].log_softmax(-1)
            row.append(torch.stack([logits[len(example) - 1 + k, token] for k, token in enumerate(words)]))
        rows.append(row)
    return rows


def make(name):
    facts = json.loads((TINY / name / "case.json").read_text())
    golden = load_file(TINY / name / "case.safetensors")
    model = LlamaForCausalLM.from_pretrained(
        TINY / name / "model", dtype=torch.float32, attn_implementation="eager"
    ).eval()
    longest = max(map(len, WORDS))
    padded = torch.tensor([words + [PAD] * (longest - len(words)) for words in WORDS]).int()
    out = {"words/tokens": padded, "words/lengths": torch.tensor([len(words) for words in WORDS]).int()}
    if not model.config.tie_word_embeddings:
        generator = torch.Generator().manual_seed(facts["seed"] + 100)
        head = torch.randn(model.lm_head.weight.shape, generator=generator) * model.config.hidden_size**-0.5
        head = head.to(torch.bfloat16)
        out["head/lm_head.weight"] = head.float()
        with torch.no_grad():
            model.lm_head.weight.copy_(head.float())
    count = facts["batch"]
    lengths = golden["pool/lengths"][:count].tolist()
    examples = [golden["pool/tokens"][row, :length].tolist() for row, length in enumerate(lengths)]
    targets = golden["pool/targets"][:count].tolist()
    sums = lambda rows: torch.stack([torch.stack([tokens.sum() for tokens in row]) for row in rows])
    with torch.no_grad():
        out["likelihoods/base"] = sums(scores(model, examples))
    config = LoraConfig(
        task_type="CAUSAL_LM", r=facts["rank"], lora_alpha=facts["alpha"], lora_dropout=0.0,
        target_modules=facts["target_modules"],
    )
    model = get_peft_model(model, config).eval()
    with torch.no_grad():
        for key, parameter in parameters(model).items():
            parameter.copy_(golden[f"adapter/{key}"])
    rows = scores(model, examples)
    out["likelihoods/adapted"] = sums(rows).detach()
    loss = torch.stack([-row[target].mean() for row, target in zip(rows, targets)]).mean()
    loss.backward()
    out["loss/mean"] = loss.detach().reshape(1)
    out |= {f"gradients/{key}": parameter.grad.clone() for key, parameter in parameters(model).items()}
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    save_file({key: value.contiguous() for key, value in out.items()}, folder / "case.safetensors")
    facts = {
        "arithmetic": "float32, one thread",
        "versions": {name: metadata.version(name) for name in ["torch", "transformers", "peft"]},
    }
    (folder / "case.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(name, out["likelihoods/adapted"], out["loss/mean"])


torch.set_num_threads(1)
for name in ["three_layers", "six_layers"]:
    make(name)

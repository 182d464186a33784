"""Golden of the words of labels as SmolLM2-135M-Instruct itself finds them likely, by transformers in float32.

    python make.py SmolLM2-135M-Instruct.Q4_1.gguf

The prompts are the token ids of `golden/smollm2/case.safetensors`; a label's words are its name with blanks for hyphens,
after a blank.  Each prompt with each label runs alone and unpadded.  Keys read `section/name`:

    prompts      tokens, all prompts end to end, and their lengths
    words        tokens, those of all labels end to end, and their lengths
    likelihoods  [prompts, labels]: the summed log-probabilities of a label's tokens after the prompt
"""

import json
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, LlamaForCausalLM

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import export_base  # noqa: E402


def main(gguf):
    stored = load_file(ROOT / "golden/smollm2/case.safetensors")
    lengths = stored["prompts/lengths"]
    prompts = [part.tolist() for part in stored["prompts/tokens"].split(lengths.tolist())]
    labels = json.loads((ROOT / "golden/smollm2/case.json").read_text())["labels"]
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    words = [tokenizer(" " + label.replace("-", " "), add_special_tokens=False).input_ids for label in labels]
    config, weights = export_base.read(gguf)
    weights = {name: weight for name, weight in weights.items() if name != "score.weight"}
    with tempfile.TemporaryDirectory() as folder:
        save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})
        Path(f"{folder}/config.json").write_text(json.dumps({**config, "architectures": ["LlamaForCausalLM"]}))
        model, told = LlamaForCausalLM.from_pretrained(
            folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
    assert not told["missing_keys"] and not told["unexpected_keys"], told
    assert model.lm_head.weight.data_ptr() == model.model.embed_tokens.weight.data_ptr()

    @torch.no_grad()
    def likelihood(prompt, word):
        logits = model(input_ids=torch.tensor([prompt + word])).logits[0, len(prompt) - 1 : -1].double()
        return logits.log_softmax(1).gather(1, torch.tensor(word)[:, None]).sum().item()

    likelihoods = torch.tensor([[likelihood(prompt, word) for word in words] for prompt in prompts])
    out = {
        "prompts/tokens": stored["prompts/tokens"], "prompts/lengths": lengths,
        "words/tokens": torch.tensor(sum(words, []), dtype=torch.int32),
        "words/lengths": torch.tensor([len(word) for word in words], dtype=torch.int32),
        "likelihoods/summed": likelihoods,
    }
    save_file(out, HERE / "case.safetensors")
    facts = {
        "base": gguf.name, "arithmetic": "float32", "labels": labels,
        "versions": {name: metadata.version(name) for name in ["torch", "transformers", "gguf"]},
    }
    (HERE / "case.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(facts, words, likelihoods[:3], likelihoods.mean(0))


torch.set_num_threads(1)
main(Path(sys.argv[1]))

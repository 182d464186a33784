"""Goldens of tiny sequence classifiers of every model family, with LoRA and with their own weights trained.

    python make.py [CASE …]

One folder per family (its `model_type`) and case, made as golden/tiny_llama makes its own, with the same keys in
case.safetensors. Beside them, in each:

    model/      a transformers folder with random weights, no bias or norm at its usual start, and a byte-level BPE
                tokenizer as the family's own is put together
    model.gguf  the same model as llama.cpp's converter writes it: tensor names by the package `gguf`, norms and biases in
                f32, rows of q and k permuted where the converter permutes them, rows of the vocabulary without a token
                named [PAD…]
    case.json   with the ids of some texts by that tokenizer
    weights/    in some: the golden of the layers' own weights, with the keys of golden/tuned_weights

The pad token is one that the configuration doesn't name, but tokenizer_config.json does; it is not the end token.
"""

import importlib.util
import json
import math
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, MODEL_MAPPING, AutoConfig, AutoModelForSequenceClassification,
    AutoTokenizer, PreTrainedTokenizerFast,
)
from transformers.modeling_layers import GenericForSequenceClassification

HERE = Path(__file__).parent
VOCABULARY, MERGED = 320, 297
PAD, BEGIN, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
TEXTS = [
    "The results was surprising, so we have ran the experiment again.",
    "The results were surprising, so we ran the experiment again.",
    "It's what they've said; WE'LL see 1,234 samples in 2024.",
    "  tabs\tand\n\nlines  , na\u0131\u0308ve cafe\u0301, 日本語",
    f"{BEGIN}user\nWhy was it revised?{END}\n",
]
NEWER = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# How the families' tokenizers cut text: the name in a GGUF, the pattern, the normaliser.
QWEN = {"pre": "qwen2", "pattern": NEWER % r"\p{N}", "normalizer": normalizers.NFC(), "ignore_merges": False}
LLAMA3 = {"pre": "llama-bpe", "pattern": NEWER % r"\p{N}{1,3}", "normalizer": None, "ignore_merges": True}
GPT2 = {
    "pre": "gpt-2", "normalizer": None, "ignore_merges": False,
    "pattern": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
}
EVERYTHING = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
# `architecture`: the family's name in a GGUF, where it isn't its own; none where no GGUF stands for it. `permuted`: llama.cpp's
# converter reorders the rows of q and k (conversion/llama.py, conversion/qwen.py). `plus_one`: norms multiply by 1 and their
# weight, which the converter adds up.
FAMILIES = {
    "llama": {"class": "LlamaForCausalLM", "permuted": True, "tokenizer": LLAMA3},
    "mistral": {"class": "MistralForCausalLM", "architecture": "llama", "permuted": True, "tokenizer": LLAMA3},
    "gemma": {"class": "GemmaForCausalLM", "permuted": False, "tokenizer": LLAMA3, "plus_one": True},
    "gemma2": {"class": "Gemma2ForCausalLM", "permuted": False, "tokenizer": LLAMA3, "plus_one": True},
    "gemma3_text": {
        "class": "Gemma3ForCausalLM", "architecture": "gemma3", "permuted": False, "tokenizer": LLAMA3, "plus_one": True,
    },
    "gemma3": {
        "class": "Gemma3ForConditionalGeneration", "architecture": None, "tokenizer": LLAMA3, "plus_one": True,
        "text": "gemma3_text",
    },
    "smollm3": {"class": "SmolLM3ForCausalLM", "permuted": True, "tokenizer": LLAMA3, "named_pad": True},
    "granite": {"class": "GraniteForCausalLM", "permuted": True, "tokenizer": LLAMA3},
    "olmo2": {"class": "Olmo2ForCausalLM", "permuted": False, "tokenizer": LLAMA3},
    "olmo3": {"class": "Olmo3ForCausalLM", "architecture": "olmo2", "permuted": False, "tokenizer": LLAMA3},
    "ministral": {"class": "MinistralForCausalLM", "architecture": None, "tokenizer": LLAMA3},
    "ministral3": {
        "class": "Ministral3ForCausalLM", "architecture": "mistral3", "permuted": True, "tokenizer": LLAMA3,
    },
    "qwen2": {"class": "Qwen2ForCausalLM", "permuted": False, "tokenizer": QWEN},
    "qwen3": {"class": "Qwen3ForCausalLM", "permuted": False, "tokenizer": QWEN},
    "gpt2": {
        "class": "GPT2LMHeadModel", "permuted": False, "tokenizer": GPT2, "layer_norm": True, "conv1d": True,
        "modules": {
            "qkv_proj": "c_attn", "o_proj": "attn.c_proj", "up_proj": "c_fc", "down_proj": "mlp.c_proj",
        },
    },
    "phi": {
        "class": "PhiForCausalLM", "permuted": False, "tokenizer": GPT2 | {"pre": "phi-2"}, "layer_norm": True,
        "architecture": "phi2", "head_bias": True,
        "modules": {
            "q_proj": "q_proj", "k_proj": "k_proj", "v_proj": "v_proj", "o_proj": "dense", "up_proj": "fc1",
            "down_proj": "fc2",
        },
    },
    "phi3": {
        "class": "Phi3ForCausalLM", "permuted": False, "tokenizer": LLAMA3, "named_pad": True,
        "modules": {name: name for name in ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]},
    },
}
PLAIN = {"rope_type": "default"}
# The part of a composite model that no text goes through, as small as it can be.
VISION = {
    "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "image_size": 4,
    "patch_size": 2,
}
CASES = {
    "llama/untied": {
        "seed": 61, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "max_grad_norm": 5.0, "classic_config": False,
        "config": {
            "hidden_size": 48, "num_attention_heads": 3, "num_key_value_heads": 1, "intermediate_size": 64,
            "num_hidden_layers": 3, "tie_word_embeddings": False, "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "llama/biased": {
        "seed": 66, "dtype": torch.float32, "rank": 2, "alpha": 5, "max_grad_norm": 5.0, "classic_config": True,
        "weights": {"seed": 76, "max_grad_norm": 6.0},
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
            "num_hidden_layers": 3, "tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True,
            "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "mistral/window": {
        "seed": 67, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "max_grad_norm": 5.0, "classic_config": True,
        "config": {
            "hidden_size": 48, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 24,
            "intermediate_size": 64, "num_hidden_layers": 3, "tie_word_embeddings": False, "sliding_window": 9,
            "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "gemma/tied": {
        "seed": 68, "dtype": torch.float32, "rank": 2, "alpha": 5, "classic_config": True,
        "weights": {"seed": 77},
        "config": {
            "hidden_size": 32, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 16,
            "intermediate_size": 64, "num_hidden_layers": 3, "tie_word_embeddings": True,
            "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "gemma2/capped": {
        "seed": 69, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "classic_config": False,
        "weights": {"seed": 78},
        "config": {
            "hidden_size": 48, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
            "intermediate_size": 64, "num_hidden_layers": 4, "tie_word_embeddings": True, "sliding_window": 9,
            "query_pre_attn_scalar": 16, "attn_logit_softcapping": 4.0, "final_logit_softcapping": 3.0,
            "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "gemma3_text/local": {
        "seed": 70, "dtype": torch.bfloat16, "rank": 2, "alpha": 5, "classic_config": False,
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
            "intermediate_size": 48, "num_hidden_layers": 6, "tie_word_embeddings": True, "sliding_window": 9,
            "query_pre_attn_scalar": 16,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 20000.0},
                "sliding_attention": {"rope_theta": 1000.0} | PLAIN,
            },
        },
    },
    "gemma3/composite": {
        "seed": 71, "dtype": torch.float32, "rank": 2, "alpha": 5, "classic_config": False,
        "config": {
            "hidden_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
            "intermediate_size": 48, "num_hidden_layers": 3, "tie_word_embeddings": True, "sliding_window": 9,
            "query_pre_attn_scalar": 24,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
            "rope_parameters": {
                "full_attention": {"rope_theta": 20000.0} | PLAIN, "sliding_attention": {"rope_theta": 1000.0} | PLAIN,
            },
        },
    },
    "smollm3/unturned": {
        "seed": 72, "dtype": torch.bfloat16, "rank": 2, "alpha": 5, "classic_config": True,
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
            "num_hidden_layers": 4, "tie_word_embeddings": True, "rope_parameters": {"rope_theta": 50000.0} | PLAIN,
        },
    },
    "granite/scaled": {
        "seed": 73, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "classic_config": True,
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
            "num_hidden_layers": 3, "tie_word_embeddings": True, "embedding_multiplier": 3.0,
            "attention_multiplier": 0.25, "residual_multiplier": 0.625, "logits_scaling": 4.0,
            "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "olmo2/after": {
        "seed": 74, "dtype": torch.float32, "rank": 2, "alpha": 5, "classic_config": True,
        "weights": {"seed": 80},
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
            "num_hidden_layers": 3, "tie_word_embeddings": False, "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "olmo3/yarn": {
        "seed": 81, "dtype": torch.bfloat16, "rank": 2, "alpha": 5, "classic_config": False,
        "config": {
            "hidden_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 64,
            "num_hidden_layers": 4, "tie_word_embeddings": False, "sliding_window": 9,
            "rope_parameters": {
                "full_attention": {
                    "rope_type": "yarn", "rope_theta": 10000.0, "factor": 8.0, "original_max_position_embeddings": 128,
                    "beta_fast": 32.0, "beta_slow": 1.0,
                },
                "sliding_attention": {"rope_theta": 10000.0} | PLAIN,
            },
        },
    },
    "ministral/alternating": {
        "seed": 82, "dtype": torch.float32, "rank": 2, "alpha": 5, "classic_config": True,
        "config": {
            "hidden_size": 32, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 16,
            "intermediate_size": 64, "num_hidden_layers": 3, "tie_word_embeddings": False, "sliding_window": 9,
            "layer_types": ["full_attention", "sliding_attention", "sliding_attention"],
            "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "ministral3/growing": {
        "seed": 83, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "classic_config": False,
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
            "intermediate_size": 64, "num_hidden_layers": 3, "tie_word_embeddings": False,
            "rope_parameters": {
                "rope_type": "yarn", "rope_theta": 10000.0, "factor": 64.0, "original_max_position_embeddings": 16,
                "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.5,
            },
        },
    },
    "qwen2/untied": {
        "seed": 62, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "max_grad_norm": 5.0, "classic_config": False,
        "config": {
            "hidden_size": 48, "num_attention_heads": 6, "num_key_value_heads": 2, "intermediate_size": 80,
            "num_hidden_layers": 3, "tie_word_embeddings": False, "rope_parameters": {"rope_theta": 1e6} | PLAIN,
        },
    },
    "qwen2/tied": {
        "seed": 63, "dtype": torch.float32, "rank": 2, "alpha": 5, "max_grad_norm": 5.0, "classic_config": True,
        "weights": {"seed": 87, "max_grad_norm": 8.0},
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 1, "intermediate_size": 64,
            "num_hidden_layers": 4, "tie_word_embeddings": True,
            "rope_parameters": {"rope_theta": 5000.0, "rope_type": "linear", "factor": 2.0},
        },
    },
    "qwen3/untied": {
        "seed": 64, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "max_grad_norm": 5.0, "classic_config": False,
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 24,
            "intermediate_size": 80, "num_hidden_layers": 3, "tie_word_embeddings": False,
            "rope_parameters": {"rope_theta": 1e6} | PLAIN,
        },
    },
    "qwen3/biased": {
        "seed": 65, "dtype": torch.float32, "rank": 2, "alpha": 5, "max_grad_norm": 3.2, "classic_config": True,
        "weights": {"seed": 75, "max_grad_norm": 5.0},
        "config": {
            "hidden_size": 32, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 16,
            "intermediate_size": 64, "num_hidden_layers": 3, "tie_word_embeddings": True, "attention_bias": True,
            "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "gpt2/tied": {
        "seed": 66, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "max_grad_norm": 5.0, "classic_config": False,
        "config": {
            "hidden_size": 48, "num_attention_heads": 3, "num_hidden_layers": 3, "tie_word_embeddings": True,
        },
    },
    "gpt2/narrow": {
        "seed": 67, "dtype": torch.float32, "rank": 2, "alpha": 5, "max_grad_norm": 2.9, "classic_config": True,
        "weights": {"seed": 101, "max_grad_norm": 4.2},
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "n_inner": 80, "num_hidden_layers": 3,
            "tie_word_embeddings": True, "layer_norm_epsilon": 1e-6,
        },
    },
    "phi/untied": {
        "seed": 68, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "max_grad_norm": 5.0, "classic_config": False,
        "config": {
            "hidden_size": 48, "num_attention_heads": 3, "intermediate_size": 80, "num_hidden_layers": 3,
            "tie_word_embeddings": False, "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
    "phi/grouped": {
        "seed": 69, "dtype": torch.float32, "rank": 2, "alpha": 5, "max_grad_norm": 5.0, "classic_config": True,
        "weights": {"seed": 89, "max_grad_norm": 8.0},
        "config": {
            "hidden_size": 40, "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 64,
            "num_hidden_layers": 3, "tie_word_embeddings": False, "layer_norm_eps": 1e-6,
            "rope_parameters": {"rope_theta": 5000.0, "partial_rotary_factor": 0.4} | PLAIN,
        },
    },
    "phi3/long": {
        "seed": 70, "dtype": torch.bfloat16, "rank": 3, "alpha": 6, "max_grad_norm": 5.0, "classic_config": False,
        "config": {
            "hidden_size": 48, "num_attention_heads": 3, "num_key_value_heads": 1, "intermediate_size": 64,
            "num_hidden_layers": 3, "tie_word_embeddings": False, "original_max_position_embeddings": 512,
            "rope_parameters": {
                "rope_theta": 10000.0, "rope_type": "longrope", "partial_rotary_factor": 0.75,
                "short_factor": [1.0, 1.05, 1.125, 1.25, 1.5, 2.0], "long_factor": [1.0, 1.5, 2.0, 3.0, 6.0, 12.0],
            },
        },
    },
    "phi3/tied": {
        "seed": 71, "dtype": torch.float32, "rank": 2, "alpha": 5, "max_grad_norm": 5.0, "classic_config": True,
        "weights": {"seed": 90, "max_grad_norm": 6.0},
        "config": {
            "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
            "num_hidden_layers": 3, "tie_word_embeddings": True, "rope_parameters": {"rope_theta": 10000.0} | PLAIN,
        },
    },
}


def neighbour(name):
    """The generator of another golden, as a module."""
    spec = importlib.util.spec_from_file_location(name, HERE.parent / name / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tiny_llama, tuned_weights = neighbour("tiny_llama"), neighbour("tuned_weights")


def make_tokenizer(family, folder):
    """Byte-level BPE whose control tokens follow the merged ones."""
    kind = family["tokenizer"]
    tokenizer = Tokenizer(models.BPE(ignore_merges=kind["ignore_merges"]))
    if kind["normalizer"]:
        tokenizer.normalizer = kind["normalizer"]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(kind["pattern"]), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=MERGED, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    assert tokenizer.get_vocab_size() == MERGED
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in (PAD, BEGIN, END)])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "add_bos_token": False, "bos_token": None, "eos_token": END,
        "pad_token": PAD, "model_max_length": 1024, "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
    return tokenizer


def make_base(family_name, case, folder, generator):
    family = FAMILIES[family_name]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(family, folder)
    epsilon = {} if family.get("layer_norm") else {"rms_norm_eps": 1e-6}
    config = AutoConfig.for_model(
        family.get("text", family_name), vocab_size=VOCABULARY, max_position_embeddings=1024, **epsilon,
        bos_token_id=None, eos_token_id=tokenizer.token_to_id(END), pad_token_id=tokenizer.token_to_id(PAD),
        num_labels=tiny_llama.LABELS, **case["config"],
    )
    if "text" in family:
        whole = AutoConfig.for_model(family_name, text_config=config, vision_config=VISION, num_labels=tiny_llama.LABELS)
    else:
        whole = config
    model = classifier(whole).eval()
    tiny_llama.draw(model, case["dtype"], generator, family.get("conv1d", False))
    if family.get("plus_one"):
        with torch.no_grad():
            for parameter in (p for n, p in model.named_parameters() if "norm" in n):
                parameter.copy_((parameter - 1).to(case["dtype"]).float())
    # A base as published is a language model: no classification head in the file.
    weights = {n: p.detach().to(case["dtype"]) for n, p in model.named_parameters() if "score" not in n}
    if not config.tie_word_embeddings:
        head = torch.randn(VOCABULARY, config.hidden_size, generator=generator)
        weights["lm_head.weight"] = head.to(case["dtype"])
    if family.get("head_bias"):
        weights["lm_head.bias"] = torch.randn(VOCABULARY, generator=generator).to(case["dtype"])
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    left_out = {"id2label", "label2id", "pad_token_id", "bos_token_id", "_attn_implementation", "layer_types"}
    settings = {k: v for k, v in whole.to_diff_dict().items() if k not in left_out}
    for part in (settings, settings.get("text_config", {})):
        for field in left_out & part.keys() - case["config"].keys():
            del part[field]
    settings |= {k: v for k, v in case["config"].items() if k == "layer_types" and whole is config}
    if family.get("named_pad"):  # transformers' own default lies outside so small a vocabulary
        settings["pad_token_id"] = config.pad_token_id
    settings |= {"architectures": [family["class"]], "dtype": str(case["dtype"]).removeprefix("torch.")}
    if case["classic_config"]:  # the names used before transformers 5, which most published folders have
        if "rope_parameters" in settings:
            rope = settings.pop("rope_parameters")
            settings["rope_theta"] = rope.pop("rope_theta")
            if "partial_rotary_factor" in rope:
                settings["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
            settings["rope_scaling"] = rope if rope["rope_type"] != "default" else None
        settings["torch_dtype"] = settings.pop("dtype")
    (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
    if family.get("architecture", family_name):
        write_gguf(family_name, config, tokenizer, weights, folder.parent / "model.gguf")
    return model


def classifier(config):
    """transformers' class, or for a family without one what it would be."""
    if type(config) in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        return AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
    pretrained = MODEL_MAPPING[type(config)].__bases__[0]
    config._attn_implementation = "eager"
    name = type(config).__name__.replace("Config", "ForSequenceClassification")
    return type(name, (GenericForSequenceClassification, pretrained), {})(config)


def permute(weight, heads):
    """llama.cpp's `LlamaModel.permute`: the two halves of a rotary pair side by side."""
    rows = weight.shape[0]
    return weight.reshape(heads, 2, rows // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def add_rope(writer, config):
    """What the converters say of rotary positions (conversion/llama.py, phi.py)."""
    rope = config.rope_parameters.get("full_attention", config.rope_parameters)
    writer.add_rope_freq_base(rope["rope_theta"])
    if "partial_rotary_factor" in rope:
        head_size = config.hidden_size // config.num_attention_heads
        writer.add_rope_dimension_count(int(head_size * rope["partial_rotary_factor"]))
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        writer.add_rope_scaling_yarn_beta_fast(rope["beta_fast"])
        writer.add_rope_scaling_yarn_beta_slow(rope["beta_slow"])
    if rope["rope_type"] == "longrope":
        original = config.original_max_position_embeddings
        writer.add_rope_scaling_orig_ctx_len(original)
        scale = config.max_position_embeddings / original
        writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(scale) / math.log(original)))
        for kind in ["long", "short"]:
            writer.add_tensor(f"rope_factors_{kind}.weight", np.array(rope[f"{kind}_factor"], dtype=np.float32))


def write_gguf(family_name, config, tokenizer, weights, path):
    family = FAMILIES[family_name]
    architecture_name = family.get("architecture", family_name)
    writer = gguf.GGUFWriter(path, architecture_name)
    heads = config.num_attention_heads
    key_value_heads = getattr(config, "num_key_value_heads", heads)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(getattr(config, "intermediate_size", None) or config.n_inner or 4 * config.n_embd)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(heads)
    if hasattr(config, "num_key_value_heads"):
        writer.add_head_count_kv(key_value_heads)
    if family.get("layer_norm"):
        writer.add_layer_norm_eps(getattr(config, "layer_norm_eps", None) or config.layer_norm_epsilon)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if hasattr(config, "rope_parameters"):
        add_rope(writer, config)
    if architecture_name == "mistral3":
        writer.add_rope_scaling_yarn_log_mul(config.rope_parameters["mscale_all_dim"])
        writer.add_attn_temperature_scale(config.rope_parameters["llama_4_scaling_beta"])
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        writer.add_sliding_window(config.sliding_window)
    if architecture_name == "olmo2" and family_name == "olmo3":
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])
    if architecture_name == "gemma3":  # as newer files have it; in the others it is taken for 10000
        writer.add_rope_freq_base_swa(config.rope_parameters["sliding_attention"]["rope_theta"])
    if architecture_name == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if architecture_name == "granite":
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_logit_scale(config.logits_scaling)
    if config.head_dim if hasattr(config, "head_dim") else None:
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)
    vocabulary = tokenizer.get_vocab()
    tokens, types = [f"[PAD{i}]" for i in range(VOCABULARY)], [gguf.TokenType.UNUSED] * VOCABULARY
    for token, id in vocabulary.items():
        special = token in (PAD, BEGIN, END)
        tokens[id], types[id] = token, gguf.TokenType.CONTROL if special else gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(family["tokenizer"]["pre"])
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(merge) for merge in merges])
    writer.add_bos_token_id(vocabulary[PAD])  # set in Qwen's own files, though no text begins with it
    writer.add_eos_token_id(vocabulary[END])
    writer.add_pad_token_id(vocabulary[PAD])
    writer.add_add_bos_token(False)
    architecture = next(a for a, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture_name)
    names = gguf.get_tensor_name_map(architecture, config.num_hidden_layers)
    for name, weight in weights.items():
        if family["permuted"] and ("q_proj" in name or "k_proj" in name):
            weight = permute(weight, heads if "q_proj" in name else key_value_heads)
        if family.get("conv1d") and weight.ndim == 2 and ".h." in name:
            weight = weight.T
        if family.get("plus_one") and "norm" in name:
            weight = weight.float() + 1
        gguf_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if weight.ndim == 1 or weight.dtype == torch.float32:
            writer.add_tensor(gguf_name, weight.float().contiguous().numpy())
        else:
            bits = weight.contiguous().view(torch.uint8).numpy()
            writer.add_tensor(gguf_name, bits, raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_facts(folder):
    """What tests must know beside the usual facts: the pad token, and ids of texts."""
    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    assert isinstance(tokenizer, PreTrainedTokenizerFast)
    path = folder / "case.json"
    facts = json.loads(path.read_text())
    facts |= {"pad": tokenizer.pad_token_id, "end": tokenizer.eos_token_id, "texts": TEXTS}
    facts["ids"] = [tokenizer.encode(text, add_special_tokens=False) for text in TEXTS]
    path.write_text(json.dumps(facts, indent=1) + "\n")


def clipped(case, make):
    """Makes a case whose traces clip some gradients and others not: at the given norm, or at the first that does."""
    norms = [case["max_grad_norm"]] if "max_grad_norm" in case else np.arange(1.5, 12.0, 0.5).tolist()
    for norm in norms:
        try:
            return make(case | {"max_grad_norm": norm})
        except AssertionError as error:
            reason = error
    raise reason


for name, case in CASES.items():
    if sys.argv[1:] and name not in sys.argv[1:]:
        continue
    family_name = name.split("/")[0]
    folder = HERE / name
    modules = FAMILIES[family_name].get("modules", {name: name for name in EVERYTHING})
    case = {"targets": list(modules), "modules": list(modules.values())} | case
    case["conv1d"] = FAMILIES[family_name].get("conv1d", False)
    make = lambda case, folder, generator: make_base(family_name, case, folder, generator)
    if "text" in FAMILIES[family_name]:  # other parts have modules of the same names
        case["modules"] = f".*language_model.*\\.({'|'.join(case['modules'])})"
    clipped(case, lambda case: tiny_llama.make(folder, case, make, MERGED))
    add_facts(folder)
    if "weights" in case:
        clipped(case["weights"], lambda case: tuned_weights.make(folder / "weights", case, folder))

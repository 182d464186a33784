"""Goldens of safetensors whose matrices have scales in tensors of their own.

    python make.py

One folder per way of storing, each a tiny Llama of one layer:

    blocks/     eight-bit floats with a scale for each block of rows and columns (`quant_method` fp8, as Qwen3's)
    tensors/    the same with one scale for each matrix and one of its inputs (as Ministral 3's)
    channels/   the same with a scale for each row (compressed-tensors)
    nf4/        4-bit NormalFloat with nested scales, by bitsandbytes
    plain_nf4/  the same without nesting, of a model in float16

    config.json, model.safetensors   the model
    case.safetensors                 `weights/NAME`: every matrix as transformers or bitsandbytes decodes it
    case.json
"""

import json
from importlib import metadata
from pathlib import Path

import bitsandbytes
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.integrations.finegrained_fp8 import Fp8Dequantize

HERE = Path(__file__).parent
SIZES = {
    "vocab_size": 320, "hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 128, "tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": None,
}
LARGEST = 448.0  # of an eight-bit float
COMPRESSED = {"weights": {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True}}
CASES = {
    "blocks": {
        "dtype": torch.bfloat16, "intermediate": 128, "grid": (32, 64),
        "config": {"quant_method": "fp8", "weight_block_size": [32, 64], "activation_scheme": "dynamic"},
    },
    "tensors": {
        "dtype": torch.bfloat16, "intermediate": 128, "grid": None,
        "config": {"quant_method": "fp8", "weight_block_size": None, "activation_scheme": "static"},
    },
    "channels": {
        "dtype": torch.bfloat16, "intermediate": 128, "grid": "rows",
        "config": {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": COMPRESSED}},
    },
    "nf4": {
        "dtype": torch.bfloat16, "intermediate": 320, "nested": True,
        "config": {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True},
    },
    "plain_nf4": {
        "dtype": torch.float16, "intermediate": 128, "nested": False,
        "config": {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": False},
    },
}


def eight_bits(name, weight, case):
    """The tensors of a matrix in eight-bit floats, and its decoded values."""
    rows, columns = weight.shape
    grid = case["grid"]
    block = {None: (rows, columns), "rows": (1, columns)}.get(grid, grid)
    blocks = weight.float().reshape(rows // block[0], block[0], columns // block[1], block[1])
    scale = blocks.abs().amax((1, 3), keepdim=True) / LARGEST
    if grid == "rows":  # as llm-compressor writes them
        scale = scale.bfloat16().float()
    codes = (blocks / scale).clamp(-LARGEST, LARGEST).to(torch.float8_e4m3fn).reshape(rows, columns)
    scale = scale.reshape(rows // block[0], columns // block[1])
    values = Fp8Dequantize(None)._dequantize_one(codes, scale, torch.float32)
    if grid is None:
        stored = {f"{name}_scale_inv": scale.reshape(()), name.replace(".weight", ".activation_scale"): torch.tensor(0.5)}
    elif grid == "rows":
        stored = {f"{name}_scale": scale.bfloat16()}
    else:
        stored = {f"{name}_scale_inv": scale}
    return {name: codes} | stored, values


def four_bits(name, weight, case):
    """The tensors of a matrix in four bits, as bitsandbytes saves them, and its decoded values."""
    codes, state = bitsandbytes.functional.quantize_4bit(
        weight, blocksize=64, compress_statistics=case["nested"], quant_type="nf4"
    )
    stored = {f"{name}.{key}": value for key, value in state.as_dict(packed=True).items()}
    values = bitsandbytes.functional.dequantize_4bit(codes, state)
    assert values.dtype == case["dtype"]
    return {name: codes} | stored, values.float()


for place, (folder, case) in enumerate(CASES.items()):
    torch.manual_seed(40 + place)
    config = LlamaConfig(**SIZES, intermediate_size=case["intermediate"])
    model = LlamaForCausalLM(config).to(case["dtype"])
    tensors, expected = {}, {}
    for name, weight in model.named_parameters():
        weight = weight.detach()
        if weight.ndim == 2 and "embed" not in name:
            weight = (weight.float() * torch.logspace(-1, 1, len(weight))[:, None]).to(case["dtype"])
            stored, expected[f"weights/{name}"] = (eight_bits if "grid" in case else four_bits)(name, weight, case)
            tensors |= stored
        elif "lm_head" not in name:
            tensors[name] = weight
    (HERE / folder).mkdir(exist_ok=True)
    save_file(tensors, HERE / folder / "model.safetensors", metadata={"format": "pt"})
    save_file({key: value.contiguous() for key, value in expected.items()}, HERE / folder / "case.safetensors")
    settings = config.to_diff_dict() | {
        "architectures": ["LlamaForCausalLM"], "dtype": str(case["dtype"]).removeprefix("torch."),
        "quantization_config": case["config"],
    }
    (HERE / folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
    versions = {name: metadata.version(name) for name in ["torch", "transformers", "bitsandbytes"]}
    (HERE / folder / "case.json").write_text(json.dumps({"versions": versions}, indent=1) + "\n")

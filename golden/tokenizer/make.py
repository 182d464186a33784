"""Golden of the tokenizer that is built from a GGUF's vocabulary and merges.

    python make.py [SmolLM2-135M-Instruct.Q4_1.gguf]

A small byte-level BPE vocabulary is trained on the texts below. case.json holds it as a GGUF would (tokens, token types,
merges) and, for each way of cutting text that a GGUF can name, the ids of every text by the Python package
`tokenizers`, assembled as the model families' own tokenizer.json assemble it.

With SmolLM2's file, smollm2.json holds the ids by its vocabulary (the vocabulary isn't stored) of the same texts and of
every sentence of `corpora/revisions`: its own tokenizer cuts single digits, then as GPT-2; transformers' GGUF loader
leaves the digits out and so differs on figures such as ½, which is why it isn't the reference here. They are compared
with llama.cpp's too where `llama-cpp-python` is installed, and its version is noted then.
"""

import json
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers, trainers
from tokenizers.models import BPE

HERE = Path(__file__).parent
TEXTS = [
    "",
    " ",
    "The results was surprising, so we have ran the experiment again.",
    "The results were surprising, so we ran the experiment again.",
    "It's what they've said: we'll see, I'm sure, he'd know, you're right, that isn't so.",
    "IT'S WHAT THEY'VE SAID; DON'T SHOUT, WE'LL HEAR.",
    "  leading, trailing and    inner   spaces   ",
    "tabs\tand\t\ttabs, lines\nand\n\n\nlines, returns\r\nand \r\n \n mixed",
    "In 2024, 1 of 12 samples (8.3 %) weighed 1,234.5678 g; 100000000 atoms remained.",
    "½ cup, ² and ³, Ⅷ chapters, ① to ⑩, ٣٤٥, १२३, 一二三四",
    "naïve café, Ångström, œuvre, ﬁne, ẞ, İstanbul, ıssız",
    "e\u0301 and é, A\u030a and Å: composed or not",
    "Правка уточняет смысл: было «хорошо», стало «лучше». Ёлка, 15-й абзац.",
    "日本語の文章を直す。한국어 문장도 고친다. 中文句子也改。ภาษาไทย עברית العربية हिन्दी",
    "👍🏽 fine, 👩‍👩‍👧‍👦 a family, 🏳️‍🌈 a flag, 🤷",
    "def revise(text: str) -> str:\n    return text.replace('  ', ' ')  # one space\n",
    "for (int i = 0; i < n; ++i) { total += a[i] * b[i]; } // O(n)",
    "Let $x \\in \\mathbb{R}^{n}$ and $\\frac{\\partial f}{\\partial x_{i}} = 0$; see~\\cite{someone2020} and \\S~3.2.",
    "https://example.org/path?query=1&other=%20#part, someone@example.org",
    "\u00a0non-breaking\u2003em\u3000ideographic\u200bzero\ufeff",
    "\u0000\u0001\u007f\u0080\u00ff control",
    "<|im_start|>user\nWhy was it revised?<|im_end|>\n<|endoftext|> <|endoftext|>",
    "[mark]inside[mark] and [mark] alone",
    "...!!! ??? --- *** ### $$$ ^^^ <=> || ~~ ``quoted'' “curly” ‘single’ — dash – dash",
    "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "\u2028line\u2029paragraph\u0085next",
    "x" * 300,
    "a b " * 60,
]
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
USER_DEFINED = ["[mark]"]

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
NEWER = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


# Name in a GGUF: steps, whether a whole piece skips the merges, normaliser.
WAYS = {
    "gpt-2": ([byte_level(True)], False, None),
    "smollm": ([pre_tokenizers.Digits(individual_digits=True), byte_level(True)], False, None),
    "llama-bpe": ([split(NEWER % r"\p{N}{1,3}"), byte_level(False)], True, None),
    "qwen2": ([split(NEWER % r"\p{N}"), byte_level(False)], False, normalizers.NFC()),
    "default": (
        [split(r"[\p{P}\$\+<=>\^~\|]+"), split(GPT2), split(r"\p{N}+"), split("[0-9][0-9][0-9]"), byte_level(False)],
        False,
        None,
    ),
}


def assemble(way, model):
    steps, ignore_merges, normalizer = WAYS[way]
    model.ignore_merges = ignore_merges
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    return tokenizer


def add_tokens(tokenizer, control, user_defined):
    tokenizer.add_special_tokens(control)
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in user_defined])


def ids(tokenizer):
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]


def train():
    """One vocabulary for all ways, cut as GPT-2 does: its tokens reach across digits and signs that others keep apart."""
    trained = assemble("gpt-2", BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=CONTROL + USER_DEFINED, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(TEXTS * 2, trainer)
    model = json.loads(trained.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def ids_by(way, vocabulary, merges):
    tokenizer = assemble(way, BPE(vocabulary, merges))
    add_tokens(tokenizer, CONTROL, USER_DEFINED)
    return ids(tokenizer)


def smollm2(path):
    from gguf import GGUFReader

    fields = GGUFReader(path).fields
    tokens, types, merges, pre = (
        fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "token_type", "merges", "pre")
    )
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = assemble(pre, BPE(vocabulary, [tuple(merge.split(" ")) for merge in merges]))
    add_tokens(tokenizer, [token for token, kind in zip(tokens, types) if kind == 3], [])
    corpus = [tokenizer.encode(text, add_special_tokens=False).ids for text in sentences()]
    versions = {"tokenizers": version("tokenizers")}
    if find_spec("llama_cpp"):
        compare_with_llama_cpp(path, dict(zip(TEXTS + sentences(), ids(tokenizer) + corpus)))
        versions["llama-cpp-python"] = version("llama-cpp-python")
    return {"versions": versions, "texts": ids(tokenizer), "corpus": corpus}


def sentences():
    """Originals and revised texts of the shipped corpus, in its order."""
    corpus = HERE.parents[1] / "corpora" / "revisions"
    files = [corpus / f"{part}.jsonl" for part in ("train", "validation", "test")]
    rows = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [row[side] for row in rows for side in ("before", "after") if row[side]]


def compare_with_llama_cpp(path, expected):
    from llama_cpp import Llama

    model = Llama(path, vocab_only=True, verbose=False)
    for text, ids in expected.items():
        if "\0" not in text:  # ends a text there
            found = model.tokenize(text.encode(), add_bos=False, special=True)
            assert found == ids, f"llama.cpp cuts {text!r} otherwise: {found} {ids}"


def main():
    vocabulary, merges = train()
    tokens = sorted(vocabulary, key=vocabulary.get)
    case = {
        "versions": {"tokenizers": version("tokenizers")},
        "texts": TEXTS,
        "tokens": tokens,
        "types": [3 if token in CONTROL else 4 if token in USER_DEFINED else 1 for token in tokens],
        "merges": [" ".join(merge) for merge in merges],
        "ways": {way: ids_by(way, vocabulary, merges) for way in WAYS},
    }
    if sys.argv[1:]:
        lists = json.dumps(smollm2(sys.argv[1])).replace("]], ", "]],\n").replace('"corpus": ', '"corpus":\n')
        (HERE / "smollm2.json").write_text(lists + "\n")
    text = json.dumps(case, ensure_ascii=True)
    for key in ('"ways"', *(f'"{way}": [' for way in WAYS), '"tokens": [', '"types"', '"merges"'):
        text = text.replace(key, "\n" + key)
    (HERE / "case.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

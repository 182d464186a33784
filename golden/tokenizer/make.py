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
    "CamelCaseWord, XMLHttpRequest, parseURL, HTTPServer's, DON'T, can'T, iPhone, eMail, ÉcoleNormale, ΑλφαΒήτα",
    "columns  1   22    333     4444 55555  666666",
    "!!!\n???\r\n;;\n\n/path/\n//\n|a|b|c| (x)(y) #tag @name $var _name_ -dash",
    "unmergeable Unmergeable  unmergeable",
    "it'sa it'sa we'llow we'llow I'Man I'Man",
    "end!!\nend!!\nend!!\n\n\nend??\n\n\nend??\n\n\n",
    "हिन्दी भाषा, เก็บน้ำ, বাংলা ভাষা, نَصٌّ عَرَبِيّ, שָׁלוֹם, e\u0301e\u0301, ក្រុង",
    "a b " * 60,
]
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
USER_DEFINED = ["[mark]"]
UNREACHABLE = "unmergeable"

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
ENDINGS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
WITHOUT_ENDINGS = r"[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
NEWER = ENDINGS + "|" + WITHOUT_ENDINGS
QWEN35 = (
    ENDINGS
    + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CASED = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+ENDING|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*ENDING|FIGURES"
    r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SEED_CODER = (
    ENDINGS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK_LETTERS = (
    "\\s?["
    "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-"
    "\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-"
    "\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf"
    "\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-"
    "\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc"
    "\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115"
    "\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e"
    "\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-"
    "\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
    "\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-"
    "\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
    "]+"
)
DEEPSEEK_SIGNS = "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"
IDEOGRAPHS = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
DEEPSEEK_V3 = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
POETS = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def cased(ending, figures):
    return CASED.replace("ENDING", ending).replace("FIGURES", figures)


def digits(individual):
    return pre_tokenizers.Digits(individual_digits=individual)


# Name in a GGUF: steps before bytes become letters, whether a whole piece skips the merges, normaliser.
WAYS = {
    "gpt-2": ([byte_level(True)], False, None),
    "olmo": ([byte_level(True)], False, normalizers.NFC()),
    "smollm": ([digits(True), byte_level(True)], False, None),
    "command-r": ([digits(True), byte_level(True)], False, normalizers.NFC()),
    "llama-bpe": ([split(NEWER % r"\p{N}{1,3}"), byte_level(False)], True, None),
    "dbrx": ([split(NEWER % r"\p{N}{1,3}"), byte_level(False)], False, None),
    "qwen2": ([split(NEWER % r"\p{N}"), byte_level(False)], False, normalizers.NFC()),
    "stablelm2": ([split(NEWER % r"\p{N}"), byte_level(False)], False, None),
    "qwen35": ([split(QWEN35), byte_level(False)], False, normalizers.NFC()),
    "ufakzeka": ([split(WITHOUT_ENDINGS % r"\p{N}"), byte_level(False)], False, None),
    "minicpm5": ([split(r"\p{N}{1,3}"), split(NEWER % r"\p{N}+"), byte_level(False)], True, None),
    "tekken": ([split(cased("", r"\p{N}")), byte_level(False)], True, None),
    "gpt-4o": ([split(cased(ENDINGS + "?", r"\p{N}{1,3}")), byte_level(False)], False, None),
    "seed-coder": ([split(SEED_CODER), byte_level(False)], False, None),
    "deepseek-llm": (
        [
            split("[\r\n]"), split(DEEPSEEK_LETTERS), split(DEEPSEEK_SIGNS), split(r"\s+$"),
            split(IDEOGRAPHS), digits(True), byte_level(False),
        ],
        False,
        None,
    ),
    "deepseek-coder": (
        [
            split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(IDEOGRAPHS), digits(True),
            byte_level(False),
        ],
        False,
        None,
    ),
    "deepseek-v3": (
        [split(r"\p{N}{1,3}"), split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"), split(DEEPSEEK_V3), byte_level(False)], False, None,
    ),
    "falcon": (
        [pre_tokenizers.Punctuation("contiguous"), byte_level(True), digits(False), split("[0-9][0-9][0-9]")],
        False,
        None,
    ),
    "poro-chat": ([split(POETS), byte_level(False)], False, None),
    "viking": ([split(POETS), digits(True), byte_level(False)], False, None),
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
    """One vocabulary for all ways, of texts that aren't cut: its tokens reach across whatever a way keeps apart."""
    trained = Tokenizer(BPE())
    trained.pre_tokenizer = byte_level(False)
    trainer = trainers.BpeTrainer(
        vocab_size=800, special_tokens=CONTROL + USER_DEFINED, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(TEXTS * 2, trainer)
    model = json.loads(trained.to_str())["model"]
    # A word that is a token as it stands, but that no merge makes.
    vocabulary = model["vocab"]
    vocabulary.setdefault(UNREACHABLE, len(vocabulary))
    return vocabulary, [tuple(merge) for merge in model["merges"] if UNREACHABLE not in "".join(merge)]


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

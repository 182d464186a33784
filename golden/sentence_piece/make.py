"""Golden of the tokenizers that are built from a GGUF's SentencePiece vocabulary.

    python make.py

Needs sentencepiece and transformers. Two small BPE vocabularies are trained on the texts of `golden/tokenizer` by
sentencepiece itself, and written to case.json as llama.cpp's converter writes them into a GGUF (tokens, token types,
scores): `llama`, whose texts get a blank in front, and `gemma`, which has tokens of its own for runs of line ends and of
blanks. `gemma4` is the second with merges instead of scores.

    ids        of every text, by sentencepiece; for gemma4 by the Python package `tokenizers`, put together as Gemma's
               tokenizer.json is
    runs       ids of blanks and line ends in a row and of words said again and again, by the same
    marked     ids of texts with control tokens, which sentencepiece leaves as they are, and of those texts with tokens of a
               user that `llama` treats otherwise than sentencepiece: by `tokenizers`, put together as
               the tokenizer.json of Llama 2 or of Gemma is, with the merges that transformers makes of scores
"""

import importlib.util
import io
import json
from importlib.metadata import version
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE
from transformers.tokenization_utils_base import generate_merges

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("texts", HERE.parent / "tokenizer" / "make.py")
texts = importlib.util.module_from_spec(spec)
spec.loader.exec_module(texts)

CONTROL = ["<start_of_turn>", "<end_of_turn>"]
RUNS = [character * count for character in (" ", "\n", "\t", "a", "=") for count in (1, 2, 3, 5, 16, 17, 31, 40)] + [
    "  a   b    c", "\n\na\n\n\nb", " \n \n  \n", "banana" * 7, "abab" * 9 + "a", "the the  the   the",
]
MARKED = [
    "<start_of_turn>user\nWhy was it revised?<end_of_turn>\n<start_of_turn>model\n",
    "<s>The results</s> were <s> surprising",
    "a<unk>b <unk> c",
    "[mark]inside[mark] and  [mark]",
    "<end_of_turn><end_of_turn>  <end_of_turn>",
]
SETTINGS = {
    "llama": {"add_dummy_prefix": True, "user_defined_symbols": ["[mark]"]},
    "gemma": {
        "add_dummy_prefix": False,
        "user_defined_symbols": ["[mark]", *("\n" * count for count in range(1, 32)), *("▁" * count for count in range(2, 17))],
    },
}
UNKNOWN, CONTROL_KIND, USER_DEFINED, BYTE = 2, 3, 4, 6


def train(name):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text for text in texts.TEXTS if "\0" not in text] * 3),
        model_writer=model,
        model_type="bpe",
        vocab_size=800,
        byte_fallback=True,
        character_coverage=0.995,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        control_symbols=CONTROL,
        num_threads=1,
        minloglevel=2,
        **SETTINGS[name],
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def vocabulary(model):
    """Tokens, types and scores as llama.cpp's `conversion/base.py` writes them."""
    tokens, types, scores = [], [], []
    for index in range(model.get_piece_size()):
        token, kind = model.id_to_piece(index), 1
        if model.is_unknown(index):
            kind = UNKNOWN
        elif model.is_control(index):
            kind = CONTROL_KIND
        elif token in model.own:
            token, kind = token.replace("▁", " "), USER_DEFINED
        elif model.is_byte(index):
            kind = BYTE
        tokens.append(token)
        types.append(kind)
        scores.append(model.get_score(index))
    return tokens, types, scores


def assembled(name, tokens, types, scores):
    """Put together as the tokenizer.json of Llama 2 or of Gemma is."""
    ids = {token: index for index, token in enumerate(tokens)}
    skipped = [token for token, kind in zip(tokens, types) if kind in (UNKNOWN, CONTROL_KIND, BYTE)]
    merges = generate_merges(ids, dict(zip(tokens, scores)), skipped)
    tokenizer = Tokenizer(BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    blanks = normalizers.Replace(" ", "▁")
    if name == "llama":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), blanks])
    else:
        tokenizer.normalizer = blanks
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([token for token, kind in zip(tokens, types) if kind in (UNKNOWN, CONTROL_KIND)])
    own = [token for token, kind in zip(tokens, types) if kind == USER_DEFINED]
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in own])
    return tokenizer, merges


def encoded(tokenizer, some):
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in some]


def scored(name):
    model = train(name)
    model.own = SETTINGS[name]["user_defined_symbols"]
    tokens, types, scores = vocabulary(model)
    tokenizer, _ = assembled(name, tokens, types, scores)

    def ids(text):
        # sentencepiece puts no blank behind a token that a user added.
        return encoded(tokenizer, [text])[0] if name == "llama" and "[mark]" in text else model.encode(text)

    return {
        "tokens": tokens, "types": types, "scores": scores,
        "ids": [ids(text) for text in texts.TEXTS],
        "runs": [model.encode(text) for text in RUNS],
        "marked": encoded(tokenizer, MARKED),
    }


def merged(of):
    """The vocabulary with merges: tokens for runs are plain ones then, with ▁ in them, and their merges come first."""
    ours = ["[mark]"]
    runs = [kind == USER_DEFINED and token not in ours for token, kind in zip(of["tokens"], of["types"])]
    tokens = [token.replace(" ", "▁") if run else token for token, run in zip(of["tokens"], runs)]
    types = [1 if run else kind for kind, run in zip(of["types"], runs)]
    scores = [len(token) if run else score for token, score, run in zip(tokens, of["scores"], runs)]
    tokenizer, merges = assembled("gemma", tokens, types, scores)
    return {
        "tokens": tokens, "types": types, "merges": [" ".join(merge) for merge in merges],
        "ids": encoded(tokenizer, texts.TEXTS), "runs": encoded(tokenizer, RUNS), "marked": encoded(tokenizer, MARKED),
    }


def main():
    case = {
        "versions": {name: version(name) for name in ("sentencepiece", "tokenizers", "transformers")},
        "texts": texts.TEXTS, "runs": RUNS, "marked": MARKED,
        "vocabularies": {name: scored(name) for name in SETTINGS},
    }
    case["vocabularies"]["gemma4"] = merged(case["vocabularies"]["gemma"])
    text = json.dumps(case, ensure_ascii=True)
    for key in ('"runs"', '"marked"', '"vocabularies"', '"gemma": ', '"gemma4": ', '"types"', '"scores"', '"merges"', '"ids"'):
        text = text.replace(key, "\n" + key)
    (HERE / "case.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

//! The tokenizers of synthetic bases: byte-level BPE with hardly any merges.

use serde_json::{Map, Value, json};

/// Which tokenizer a base has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokenizer {
    /// One token a byte, and `<|end|>`: 257 tokens.
    Bytes,
    /// `ab` and ` ab`, a few letters, and tokens for begin, end and nothing. As JSON it also asks for truncation and
    /// padding, which a reader has to leave aside. 8 tokens as JSON, 40 in a GGUF file.
    Letters,
    /// Only names of tokens, for bases that are timed on token ids and never see a text.
    Numbered {
        /// How many.
        tokens: usize,
    },
}

/// The tokens with a meaning of their own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Special {
    pub(super) begin: u32,
    pub(super) end: u32,
    pub(super) pad: Option<u32>,
}

impl Tokenizer {
    pub(super) fn special(self) -> Special {
        match self {
            Self::Bytes => Special { begin: 256, end: 256, pad: None },
            Self::Letters => Special { begin: 1, end: 2, pad: Some(2) },
            Self::Numbered { .. } => Special { begin: 0, end: 0, pad: None },
        }
    }

    /// What `tokenizer.json` says.
    pub(super) fn json(self) -> Value {
        match self {
            Self::Bytes => bytes_tokenizer_json(),
            Self::Letters => letters_tokenizer_json(),
            Self::Numbered { .. } => panic!("numbered tokens stand in GGUF files only"),
        }
    }

    /// Every token as a GGUF file has them, with its kind there: 1 is usual, 3 a control token, 4 the user's own.
    pub(super) fn tokens(self) -> Vec<(String, i32)> {
        match self {
            Self::Bytes => {
                let bytes = byte_letters().map(|(letter, _)| (letter.to_string(), 1));
                bytes.chain([("<|end|>".to_owned(), 3)]).collect()
            }
            Self::Letters => {
                let special = [("<|none|>", 3), ("<|begin|>", 3), ("<|end|>", 3), ("[mark]", 4)];
                let merged = ["Ġ", "ab", "Ġab"].map(|token| (token, 1));
                let named = special.into_iter().chain(merged).map(|(token, kind)| (token.to_owned(), kind));
                named.chain(('a'..='z').chain('0'..='6').map(|letter| (letter.to_string(), 1))).collect()
            }
            Self::Numbered { tokens } => (0..tokens).map(|token| (format!("<{token}>"), 1)).collect(),
        }
    }

    /// Every merge as a GGUF file has them.
    pub(super) fn merges(self) -> &'static [&'static str] {
        match self {
            Self::Letters => &["a b", "Ġ ab"],
            Self::Bytes | Self::Numbered { .. } => &[],
        }
    }
}

/// The letter that byte-level tokenizers show each byte as, by the byte.
fn byte_letters() -> impl Iterator<Item = (char, u8)> {
    let mut others = 0;
    (0..=255u8).map(move |byte| {
        let shown = matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
        let letter = if shown {
            char::from(byte)
        } else {
            others += 1;
            char::from_u32(255 + others).expect("a letter")
        };
        (letter, byte)
    })
}

fn bytes_tokenizer_json() -> Value {
    let vocabulary: Map<String, Value> =
        byte_letters().map(|(letter, byte)| (letter.to_string(), Value::from(byte))).collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [added_token(256, "<|end|>")],
        "normalizer": null,
        "pre_tokenizer": byte_level(false),
        "post_processor": null,
        "decoder": byte_level(true),
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary, "merges": []
        }
    })
}

/// Byte-level BPE of a few letters that begins texts with `<|begin|>` and asks for truncation and padding.
pub fn letters_tokenizer_json() -> Value {
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
            "pad_type_id": 0, "pad_token": "<|none|>"},
        "added_tokens": [added_token(0, "<|none|>"), added_token(1, "<|begin|>"), added_token(2, "<|end|>")],
        "normalizer": null,
        "pre_tokenizer": byte_level(false),
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [1], "tokens": ["<|begin|>"]}}},
        "decoder": byte_level(true),
        "model": {"type": "BPE", "vocab": {"<|none|>": 0, "<|begin|>": 1, "<|end|>": 2, "a": 3, "b": 4, "ab": 5,
            "Ġ": 6, "Ġab": 7}, "merges": [["a", "b"], ["Ġ", "ab"]]},
    })
}

fn added_token(id: u32, content: &str) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true})
}

fn byte_level(add_prefix_space: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": true})
}

//! How text is cut into pieces before byte-level BPE merges inside each.
//!
//! A GGUF only names the way (`tokenizer.ggml.pre`); the patterns here are those of the models' own tokenizers.
//!
//! # Source
//! The `tokenizer.json` of each model family; the names from llama.cpp `llama-vocab.cpp`.

use tokenizers::{
    PreTokenizerWrapper, SplitDelimiterBehavior,
    pre_tokenizers::{
        byte_level::ByteLevel,
        digits::Digits,
        sequence::Sequence,
        split::{Split, SplitPattern},
    },
};

/// Words with the space before them, runs of digits, of other signs, of white space.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*",
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
);
const QWEN2: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*",
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
);
/// llama.cpp's way with a vocabulary whose own way wasn't recorded: applied one after the other.
const UNRECORDED: [&str; 4] = [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"];

/// A way to cut text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Gpt2,
    /// Each digit alone, then as GPT-2.
    Digits,
    Llama3,
    Qwen2,
    Unrecorded,
}

/// llama.cpp's names of the ways.
pub(super) const NAMES: [(&str, Way); 15] = [
    ("gpt-2", Way::Gpt2),
    ("phi-2", Way::Gpt2),
    ("olmo", Way::Gpt2),
    ("mpt", Way::Gpt2),
    ("smollm", Way::Digits),
    ("starcoder", Way::Digits),
    ("refact", Way::Digits),
    ("codeshell", Way::Digits),
    ("llama-bpe", Way::Llama3),
    ("llama3", Way::Llama3),
    ("llama-v3", Way::Llama3),
    ("falcon3", Way::Llama3),
    ("qwen2", Way::Qwen2),
    ("deepseek-r1-qwen", Way::Qwen2),
    ("default", Way::Unrecorded),
];

impl Way {
    /// Whether a piece that is a token as it stands is taken without merging.
    pub(super) fn ignores_merges(self) -> bool {
        self == Way::Llama3
    }

    /// Whether texts begin with a token of their own when the file doesn't say.
    pub(super) fn begins(self) -> bool {
        self == Way::Llama3
    }

    /// Whether text is brought to Unicode's composed form first.
    pub(super) fn composes(self) -> bool {
        self == Way::Qwen2
    }

    /// The steps, byte-level mapping last.
    pub(super) fn steps(self) -> tokenizers::Result<PreTokenizerWrapper> {
        let mut steps = Vec::new();
        let patterns: &[&str] = match self {
            Way::Gpt2 => &[GPT2],
            Way::Digits => {
                steps.push(Digits::new(true).into());
                &[GPT2]
            }
            Way::Llama3 => &[LLAMA3],
            Way::Qwen2 => &[QWEN2],
            Way::Unrecorded => &UNRECORDED,
        };
        for &pattern in patterns {
            let pattern = SplitPattern::Regex(pattern.to_owned());
            steps.push(Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?.into());
        }
        steps.push(ByteLevel::new(false, true, false).into());
        Ok(Sequence::new(steps).into())
    }
}

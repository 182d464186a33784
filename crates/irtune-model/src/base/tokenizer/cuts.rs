//! How text is cut into pieces before byte-level BPE merges inside each.
//!
//! A GGUF only names the cut (`tokenizer.ggml.pre`); the patterns here are those of the models' own tokenizers.
//!
//! # Source
//! The `tokenizer.json` of each model family; the names, and the patterns of families whose file was not at hand, from
//! llama.cpp `llama-vocab.cpp`.

use tokenizers::{
    PreTokenizerWrapper, SplitDelimiterBehavior,
    pre_tokenizers::{
        byte_level::ByteLevel,
        digits::Digits,
        punctuation::Punctuation,
        sequence::Sequence,
        split::{Split, SplitPattern},
    },
};

/// Words with the space before them, runs of digits, of other signs, of white space.
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// A pattern that tells apart English endings, words of some letters with one sign before them, figures, other signs with
/// line ends after them, and white space.
macro_rules! newer {
    ($letter:literal, $figures:literal, $after_signs:literal) => {
        concat!(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|",
            newer!(plain $letter, $figures, $after_signs)
        )
    };
    (plain $letter:literal, $figures:literal, $after_signs:literal) => {
        concat!(
            r"[^\r\n\p{L}\p{N}]?[", $letter, r"]+|", $figures, r"| ?[^\s", $letter, r"\p{N}]+", $after_signs,
            r"|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
    };
}

/// A pattern that also cuts inside words, before capitals: `$ending` may follow a word.
macro_rules! cased {
    ($ending:literal, $figures:literal) => {
        concat!(
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+",
            $ending,
            r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*",
            $ending,
            r"|",
            $figures,
            r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
        )
    };
}

/// Letters that have a case, with the blank before them, as DeepSeek lists them.
const CASED_LETTERS: &str = concat!(
    r"\s?[",
    r"A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF}",
    r"\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1}",
    r"\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5}",
    r"\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-",
    r"\x{1D9A}\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}",
    r"\x{1F59}\x{1F5B}\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}",
    r"\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-",
    r"\x{1FFC}\x{2102}\x{2107}\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-",
    r"\x{212D}\x{212F}-\x{2134}\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-",
    r"\x{2C7B}\x{2C7E}-\x{2CE4}\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}",
    r"-\x{A76F}\x{A771}-\x{A787}\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}",
    r"\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A}\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}",
    r"-\x{10CB2}\x{10CC0}-\x{10CF2}\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}",
    "]+"
);

/// One step of a cut.
#[derive(Debug)]
enum Step {
    /// What matches the pattern becomes a piece.
    Matches(&'static str),
    /// Every digit becomes a piece.
    EachDigit,
    /// Every run of digits becomes a piece.
    Digits,
    /// Every run of punctuation becomes a piece.
    Punctuation,
    /// As GPT-2, and bytes become letters.
    Gpt2Bytes,
    /// Bytes become letters.
    Bytes,
}

/// A way to cut text.
#[derive(Debug)]
pub(super) struct Cut {
    /// llama.cpp's names.
    pub(super) names: &'static [&'static str],
    steps: &'static [Step],
    /// Whether a piece that is a token as it stands is taken without merging.
    pub(super) whole_pieces: bool,
    /// Whether texts begin with a token of their own when the file doesn't say.
    pub(super) begins: bool,
    /// Whether text is brought to Unicode's composed form first.
    pub(super) composes: bool,
}

/// What most cuts don't do.
const PLAIN: Cut = Cut { names: &[], steps: &[], whole_pieces: false, begins: false, composes: false };

const LLAMA3: &[Step] = &[Step::Matches(newer!(r"\p{L}", r"\p{N}{1,3}", r"[\r\n]*")), Step::Bytes];
const QWEN2: &[Step] = &[Step::Matches(newer!(r"\p{L}", r"\p{N}", r"[\r\n]*")), Step::Bytes];

/// All cuts.
pub(super) const CUTS: &[Cut] = &[
    Cut {
        names: &[
            "gpt-2",
            "phi-2",
            "exaone4",
            "jais",
            "trillion",
            "gigachat",
            "mellum",
            "a.x-4.0",
            "granite-docling",
        ],
        steps: &[Step::Gpt2Bytes],
        ..PLAIN
    },
    Cut { names: &["olmo", "mpt"], steps: &[Step::Gpt2Bytes], composes: true, ..PLAIN },
    Cut {
        names: &["smollm", "starcoder", "refact", "codeshell", "exaone", "minerva-7b", "mellum2"],
        steps: &[Step::EachDigit, Step::Gpt2Bytes],
        ..PLAIN
    },
    Cut { names: &["command-r"], steps: &[Step::EachDigit, Step::Gpt2Bytes], composes: true, ..PLAIN },
    Cut {
        names: &["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "lfm2", "pixtral", "midm-2.0"],
        steps: LLAMA3,
        whole_pieces: true,
        begins: true,
        ..PLAIN
    },
    Cut { names: &["glm4", "glm5"], steps: LLAMA3, whole_pieces: true, ..PLAIN },
    Cut { names: &["dbrx", "smaug-bpe", "chatglm-bpe"], steps: LLAMA3, ..PLAIN },
    Cut { names: &["qwen2", "deepseek-r1-qwen"], steps: QWEN2, composes: true, ..PLAIN },
    // bailingmoe's own pattern is written otherwise and matches the same.
    Cut {
        names: &[
            "stablelm2",
            "hunyuan",
            "megrez",
            "kormo",
            "solar-open",
            "bailingmoe",
            "bailingmoe2",
            "llada-moe",
        ],
        steps: QWEN2,
        ..PLAIN
    },
    Cut {
        names: &["qwen35"],
        steps: &[Step::Matches(newer!(r"\p{L}\p{M}", r"\p{N}", r"[\r\n]*")), Step::Bytes],
        composes: true,
        ..PLAIN
    },
    Cut {
        names: &["ufakzeka"],
        steps: &[Step::Matches(newer!(plain r"\p{L}", r"\p{N}", r"[\r\n]*")), Step::Bytes],
        ..PLAIN
    },
    Cut {
        names: &["minicpm5"],
        steps: &[
            Step::Matches(r"\p{N}{1,3}"),
            Step::Matches(newer!(r"\p{L}", r"\p{N}+", r"[\r\n]*")),
            Step::Bytes,
        ],
        whole_pieces: true,
        ..PLAIN
    },
    Cut {
        names: &["tekken"],
        steps: &[Step::Matches(cased!("", r"\p{N}")), Step::Bytes],
        whole_pieces: true,
        begins: true,
        ..PLAIN
    },
    Cut {
        names: &["gpt-4o", "llama4", "kanana2"],
        steps: &[Step::Matches(cased!(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?", r"\p{N}{1,3}")), Step::Bytes],
        ..PLAIN
    },
    Cut {
        names: &["seed-coder"],
        steps: &[
            Step::Matches(concat!(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+",
                r"|\s*[\r\n]+|\s+(?!\S)|\s+"
            )),
            Step::Bytes,
        ],
        ..PLAIN
    },
    Cut {
        names: &["deepseek-llm"],
        steps: &[
            Step::Matches("[\r\n]"),
            Step::Matches(CASED_LETTERS),
            Step::Matches(
                r"\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+",
            ),
            Step::Matches(r"\s+$"),
            Step::Matches(r"[\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+"),
            Step::EachDigit,
            Step::Bytes,
        ],
        ..PLAIN
    },
    Cut {
        names: &["deepseek-coder"],
        steps: &[
            Step::Matches("[\r\n]"),
            Step::Matches(r"\s?\p{L}+"),
            Step::Matches(r"\s?\p{P}+"),
            Step::Matches(r"[\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+"),
            Step::EachDigit,
            Step::Bytes,
        ],
        ..PLAIN
    },
    Cut {
        names: &["deepseek-v3", "hunyuan-dense"],
        steps: &[
            Step::Matches(r"\p{N}{1,3}"),
            Step::Matches(r"[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+"),
            Step::Matches(concat!(
                r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##,
                r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            )),
            Step::Bytes,
        ],
        ..PLAIN
    },
    Cut {
        names: &["falcon"],
        steps: &[Step::Punctuation, Step::Gpt2Bytes, Step::Digits, Step::Matches("[0-9][0-9][0-9]")],
        ..PLAIN
    },
    Cut {
        names: &["poro-chat", "bloom", "gpt3-finnish"],
        steps: &[
            Step::Matches(r" ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+"),
            Step::Bytes,
        ],
        ..PLAIN
    },
    Cut {
        names: &["viking"],
        steps: &[
            Step::Matches(r" ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+"),
            Step::EachDigit,
            Step::Bytes,
        ],
        ..PLAIN
    },
    // llama.cpp's way with a vocabulary whose own way wasn't recorded.
    Cut {
        names: &["default"],
        steps: &[
            Step::Matches(r"[\p{P}\$\+<=>\^~\|]+"),
            Step::Matches(GPT2),
            Step::Matches(r"\p{N}+"),
            Step::Matches("[0-9][0-9][0-9]"),
            Step::Bytes,
        ],
        ..PLAIN
    },
];

/// The cut of a name; of no name, the one that stands for an unrecorded way.
pub(super) fn named(name: Option<&str>) -> Option<&'static Cut> {
    let name = name.unwrap_or("default");
    CUTS.iter().find(|cut| cut.names.contains(&name))
}

/// All names, for people.
pub(super) fn names() -> String {
    CUTS.iter().flat_map(|cut| cut.names).copied().collect::<Vec<_>>().join(", ")
}

impl Cut {
    /// What the library does it with.
    pub(super) fn steps(&self) -> tokenizers::Result<PreTokenizerWrapper> {
        let steps: tokenizers::Result<Vec<PreTokenizerWrapper>> = self.steps.iter().map(Step::made).collect();
        Ok(Sequence::new(steps?).into())
    }
}

impl Step {
    fn made(&self) -> tokenizers::Result<PreTokenizerWrapper> {
        Ok(match self {
            Step::Matches(pattern) => {
                let pattern = SplitPattern::Regex((*pattern).to_owned());
                Split::new(pattern, SplitDelimiterBehavior::Isolated, false)?.into()
            }
            Step::EachDigit => Digits::new(true).into(),
            Step::Digits => Digits::new(false).into(),
            Step::Punctuation => Punctuation::new(SplitDelimiterBehavior::Contiguous).into(),
            Step::Gpt2Bytes => ByteLevel::new(false, true, true).into(),
            Step::Bytes => ByteLevel::new(false, true, false).into(),
        })
    }
}

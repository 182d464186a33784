use irtune_testing::{
    base::{GgufFile, letters_tokenizer_json},
    golden::case_json,
};

use super::{split::NAMES, *};
use crate::base::weights::gguf::Header;

fn build(sample: &GgufFile) -> Result<Tokenizer, TokenizerError> {
    let bytes = sample.bytes();
    Tokenizer::from_gguf(&Header::parse(&bytes, Path::new("tiny.gguf")).expect("a whole file"))
}

#[test]
fn a_ggufs_tokenizer_merges_and_finds_added_tokens() {
    let tokenizer = build(&GgufFile::letters()).unwrap();
    // Digits stand alone; [mark] is the user's own token, <|end|> a control token.
    assert_eq!(tokenizer.encode("ab ab12[mark]<|end|>").unwrap(), [5, 6, 34, 35, 3, 2]);
    assert!(tokenizer.encode("").unwrap().is_empty());
    assert_eq!(tokenizer.vocabulary_size(), 40);
    assert_eq!((tokenizer.begin_token(), tokenizer.end_token()), (Some(1), Some(2)));
    assert!(!tokenizer.adds_begin_token());
}

#[test]
fn every_token_knows_its_bytes() {
    let tokenizer = build(&GgufFile::letters()).unwrap();
    let text = "ab ab12[mark]ab";
    let offsets = tokenizer.offsets(text).unwrap();
    assert_eq!(offsets.len(), tokenizer.encode(text).unwrap().len());
    let texts: Vec<&str> = offsets.into_iter().map(|range| text[range].trim_start()).collect();
    assert_eq!(texts, ["ab", "ab", "1", "2", "[mark]", "ab"]);
}

#[test]
fn every_known_way_to_cut_text_builds() {
    for (name, way) in NAMES {
        let mut sample = GgufFile::letters();
        sample.text("tokenizer.ggml.pre", name);
        let tokenizer = build(&sample).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(tokenizer.encode("ab ab").unwrap(), [5, 6], "{name}");
        assert_eq!(tokenizer.adds_begin_token(), way.begins(), "{name}");
    }
}

#[test]
fn a_file_says_whether_texts_begin_with_a_token() {
    let mut sample = GgufFile::letters();
    sample.flag("tokenizer.ggml.add_bos_token", true);
    assert!(build(&sample).unwrap().adds_begin_token());
    sample.remove("tokenizer.ggml.bos_token_id");
    assert!(!build(&sample).unwrap().adds_begin_token());
    sample.remove("tokenizer.ggml.pre");
    sample.remove("tokenizer.ggml.token_type");
    assert_eq!(build(&sample).unwrap().encode("ab").unwrap(), [5]);
}

/// A change of the whole sample, and what the refusal must say.
type Case = (fn(&mut GgufFile), &'static str);

#[test]
fn each_unusable_vocabulary_has_its_error() {
    let cases: [Case; 11] = [
        (|sample| sample.remove("tokenizer.ggml.model"), "`tokenizer.ggml.model` is missing or not a string"),
        (
            |sample| sample.text("tokenizer.ggml.model", "llama"),
            "`tokenizer.ggml.model` is `llama`, which is not supported (gpt2 are)",
        ),
        (
            |sample| sample.text("tokenizer.ggml.pre", "dbrx"),
            "`tokenizer.ggml.pre` is `dbrx`, which is not supported (gpt-2,",
        ),
        (
            |sample| sample.unsigned("tokenizer.ggml.pre", 1),
            "`tokenizer.ggml.pre` is missing or not a string",
        ),
        (
            |sample| sample.remove("tokenizer.ggml.tokens"),
            "`tokenizer.ggml.tokens` is missing or not a list of strings",
        ),
        (
            |sample| sample.integers("tokenizer.ggml.merges", &[1]),
            "`tokenizer.ggml.merges` is missing or not a list",
        ),
        (
            |sample| sample.unsigned("tokenizer.ggml.token_type", 1),
            "`tokenizer.ggml.token_type` is missing or not a list of numbers",
        ),
        (
            |sample| sample.integers("tokenizer.ggml.token_type", &[1]),
            "there are 40 tokens, but 1 token types",
        ),
        (|sample| sample.texts("tokenizer.ggml.merges", &["a b", "ab"]), "merge 1, `ab`, is not two parts"),
        (|sample| sample.texts("tokenizer.ggml.merges", &["a é"]), "the vocabulary and the merges don't fit"),
        (|sample| sample.texts("tokenizer.ggml.tokens", &["a", "b", "a"]), "the tokens 0 and 2 are both `a`"),
    ];
    for (damage, expected) in cases {
        let mut sample = GgufFile::letters();
        damage(&mut sample);
        let message = build(&sample).unwrap_err().to_string();
        assert!(message.contains(expected) && message.contains("tiny.gguf"), "{message}\nlacks\n{expected}");
    }
}

/// A tokenizer file with this in it.
fn from_json(value: &serde_json::Value) -> Result<Tokenizer, TokenizerError> {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("tokenizer.json");
    std::fs::write(&path, value.to_string()).unwrap();
    Tokenizer::from_file(&path)
}

#[test]
fn a_tokenizer_file_is_read_without_its_truncation_and_padding() {
    let tokenizer = from_json(&letters_tokenizer_json()).unwrap();
    assert_eq!(tokenizer.encode("ab ab ab ab").unwrap(), [5, 7, 7, 7]);
    assert_eq!((tokenizer.begin_token(), tokenizer.end_token()), (Some(1), None));
    assert!(tokenizer.adds_begin_token());
    let tokenizer = tokenizer.with_special_tokens(Some(1), Some(2));
    assert!(tokenizer.adds_begin_token());
    assert_eq!((tokenizer.begin_token(), tokenizer.end_token()), (Some(1), Some(2)));
    let tokenizer = tokenizer.with_special_tokens(Some(0), None);
    assert!(!tokenizer.adds_begin_token());
    assert_eq!((tokenizer.begin_token(), tokenizer.end_token()), (Some(0), Some(2)));
}

#[test]
fn files_that_are_no_tokenizer_are_refused() {
    let message = Tokenizer::from_file(Path::new("nowhere/tokenizer.json")).unwrap_err().to_string();
    assert!(message.starts_with("cannot read nowhere/tokenizer.json"), "{message}");
    let message = from_json(&serde_json::json!({"version": "1.0"})).unwrap_err().to_string();
    assert!(message.contains("tokenizer.json is no tokenizer"), "{message}");
}

#[test]
fn a_text_without_ids_is_refused_by_its_length_only() {
    let mut words = letters_tokenizer_json();
    words["model"] = serde_json::json!({"type": "WordLevel", "vocab": {"ab": 0}, "unk_token": "<|gone|>"});
    words["post_processor"] = serde_json::Value::Null;
    words["padding"] = serde_json::Value::Null;
    words["added_tokens"] = serde_json::json!([]);
    let message = from_json(&words).unwrap().encode("a secret").unwrap_err().to_string();
    assert!(message.starts_with("cannot tokenize a text of 8 characters"), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

/// `golden/tokenizer`: a small vocabulary and what the Python package makes of texts with it.
#[derive(serde::Deserialize)]
struct Golden {
    texts: Vec<String>,
    tokens: Vec<String>,
    types: Vec<i32>,
    merges: Vec<String>,
    /// Ids of every text by the name of the way to cut it.
    ways: std::collections::BTreeMap<String, Vec<Vec<u32>>>,
}

impl Golden {
    fn read() -> Self {
        case_json("tokenizer")
    }

    /// The texts whose ids, cut one way, differ from the golden's of a way.
    fn differing(&self, way: &str, golden_way: &str) -> Vec<&str> {
        let mut sample = GgufFile::new();
        sample.text("tokenizer.ggml.model", "gpt2");
        sample.text("tokenizer.ggml.pre", way);
        sample.texts("tokenizer.ggml.tokens", &self.tokens.iter().map(String::as_str).collect::<Vec<_>>());
        sample.integers("tokenizer.ggml.token_type", &self.types);
        sample.texts("tokenizer.ggml.merges", &self.merges.iter().map(String::as_str).collect::<Vec<_>>());
        let tokenizer = build(&sample).unwrap();
        let expected = &self.ways[golden_way];
        assert_eq!(self.texts.len(), expected.len());
        let differs = |(text, ids): &(&String, &Vec<u32>)| tokenizer.encode(text).unwrap() != **ids;
        self.texts.iter().zip(expected).filter(differs).map(|(text, _)| text.as_str()).collect()
    }
}

#[test]
fn ids_equal_those_of_the_families_own_tokenizers() {
    let golden = Golden::read();
    let names: Vec<&str> = golden.ways.keys().map(String::as_str).collect();
    assert_eq!(names, ["default", "gpt-2", "llama-bpe", "qwen2", "smollm"]);
    for name in names {
        assert_eq!(golden.differing(name, name), [""; 0], "{name}");
    }
}

#[test]
fn every_other_way_to_cut_text_is_noticed() {
    let golden = Golden::read();
    for way in golden.ways.keys() {
        for other in golden.ways.keys().filter(|other| *other != way) {
            assert_ne!(golden.differing(way, other), [""; 0], "{way} with {other}'s ids");
        }
    }
}

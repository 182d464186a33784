use irtune_testing::{
    base::{GgufFile, letters_tokenizer_json},
    golden::case_json,
};

use super::{cuts::CUTS, *};
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
    let mut names = std::collections::HashSet::new();
    for cut in CUTS {
        for &name in cut.names {
            assert!(names.insert(name), "{name} twice");
            let mut sample = GgufFile::letters();
            sample.text("tokenizer.ggml.pre", name);
            let tokenizer = build(&sample).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(tokenizer.encode("ab ab").unwrap(), [5, 6], "{name}");
            assert_eq!(tokenizer.adds_begin_token(), cut.begins, "{name}");
        }
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
    let cases: [Case; 13] = [
        (|sample| sample.remove("tokenizer.ggml.model"), "`tokenizer.ggml.model` is missing or not a string"),
        (
            |sample| sample.text("tokenizer.ggml.model", "t5"),
            "`tokenizer.ggml.model` is `t5`, which is not supported (gpt2, llama and gemma4 are)",
        ),
        (
            |sample| sample.text("tokenizer.ggml.model", "llama"),
            "`tokenizer.ggml.scores` is missing or not a list of numbers, one for each token",
        ),
        (
            |sample| {
                sample.text("tokenizer.ggml.model", "llama");
                sample.floats("tokenizer.ggml.scores", &[0.0; 39]);
            },
            "`tokenizer.ggml.scores` is missing or not a list of numbers, one for each token",
        ),
        (
            |sample| sample.text("tokenizer.ggml.pre", "kimi-k2"),
            "`tokenizer.ggml.pre` is `kimi-k2`, which is not supported (gpt-2,",
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
fn what_a_template_puts_around_a_text_is_found() {
    let special = |name: &str| serde_json::json!({"SpecialToken": {"id": name, "type_id": 0}});
    let text = serde_json::json!({"Sequence": {"id": "A", "type_id": 0}});
    for (template, begins, appended) in [
        (vec![special("<|begin|>"), text.clone()], Some(1), vec![]),
        (vec![text.clone(), special("<|end|>")], None, vec![2]),
        (vec![special("<|begin|>"), text.clone(), special("<|end|>")], Some(1), vec![2]),
        (vec![text.clone(), special("<|begin|>"), special("<|end|>")], None, vec![1, 2]),
    ] {
        let mut file = letters_tokenizer_json();
        let end = serde_json::json!({"id": "<|end|>", "ids": [2], "tokens": ["<|end|>"]});
        file["post_processor"]["special_tokens"]["<|end|>"] = end;
        file["post_processor"]["single"] = template.into();
        let tokenizer = from_json(&file).unwrap();
        assert_eq!(tokenizer.adds_begin_token(), begins.is_some());
        assert_eq!(tokenizer.begin_token(), begins);
        assert_eq!(tokenizer.appended(), appended);
        // Added tokens alone can be padding.
        assert!(tokenizer.is_added(2) && !tokenizer.is_added(3));
    }
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
    assert!(!message.contains("secret") && message.contains("tokenizer.json"), "{message}");
}

#[test]
fn a_panic_of_the_library_is_an_error() {
    let panicking = || -> Result<(), tokenizers::Error> { panic!("a damaged table") };
    let message = contained(panicking).unwrap_err().to_string();
    assert!(message.contains("panic, so it is damaged"), "{message}");
    assert_eq!(contained(|| Ok(3)).unwrap(), 3);
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
    for name in golden.ways.keys() {
        assert_eq!(golden.differing(name, name), [""; 0], "{name}");
    }
    // A way that only begins texts otherwise has no ids of its own.
    for cut in CUTS.iter().filter(|cut| !cut.names.contains(&"glm4")) {
        assert!(cut.names.iter().any(|&name| golden.ways.contains_key(name)), "no golden of {:?}", cut.names);
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

/// `golden/sentence_piece`: small vocabularies by sentencepiece, and the ids of texts with them.
#[derive(serde::Deserialize)]
struct PiecesGolden {
    texts: Vec<String>,
    runs: Vec<String>,
    marked: Vec<String>,
    vocabularies: std::collections::BTreeMap<String, Pieces>,
}

#[derive(serde::Deserialize)]
struct Pieces {
    tokens: Vec<String>,
    types: Vec<i32>,
    #[serde(default)]
    scores: Vec<f32>,
    #[serde(default)]
    merges: Vec<String>,
    ids: Vec<Vec<u32>>,
    runs: Vec<Vec<u32>>,
    marked: Vec<Vec<u32>>,
}

impl PiecesGolden {
    fn read() -> Self {
        case_json("sentence_piece")
    }

    /// All texts with their ids.
    fn texts<'a>(&'a self, pieces: &'a Pieces) -> impl Iterator<Item = (&'a String, &'a Vec<u32>)> {
        let of = |texts: &'a [String], ids: &'a [Vec<u32>]| {
            assert_eq!(texts.len(), ids.len());
            texts.iter().zip(ids)
        };
        let plain = of(&self.texts, &pieces.ids).chain(of(&self.runs, &pieces.runs));
        plain.chain(of(&self.marked, &pieces.marked))
    }
}

impl Pieces {
    /// As a GGUF.
    fn sample(&self, name: &str) -> GgufFile {
        let mut sample = GgufFile::new();
        sample.text("tokenizer.ggml.model", if name == "gemma4" { "gemma4" } else { "llama" });
        sample.texts("tokenizer.ggml.tokens", &self.tokens.iter().map(String::as_str).collect::<Vec<_>>());
        sample.integers("tokenizer.ggml.token_type", &self.types);
        match name {
            "gemma4" => {
                let merges: Vec<&str> = self.merges.iter().map(String::as_str).collect();
                sample.texts("tokenizer.ggml.merges", &merges);
            }
            _ => sample.floats("tokenizer.ggml.scores", &self.scores),
        }
        if name != "llama" {
            sample.flag("tokenizer.ggml.add_space_prefix", false);
        }
        sample
    }
}

#[test]
fn ids_equal_those_of_sentencepiece() {
    let golden = PiecesGolden::read();
    assert_eq!(golden.vocabularies.keys().collect::<Vec<_>>(), ["gemma", "gemma4", "llama"]);
    for (name, pieces) in &golden.vocabularies {
        let tokenizer = build(&pieces.sample(name)).unwrap();
        for (text, ids) in golden.texts(pieces) {
            assert_eq!(tokenizer.encode(text).unwrap(), *ids, "{name}: {text:?}");
            let offsets = tokenizer.offsets(text).unwrap();
            assert_eq!(offsets.len(), ids.len());
            // Tokens cover the text in its order; those of one letter's bytes all stand for that letter.
            assert!(
                offsets.iter().all(|range| text.get(range.clone()).is_some()),
                "{name}: {text:?} {offsets:?}"
            );
            assert!(offsets.is_sorted_by_key(|range| range.start), "{name}: {text:?} {offsets:?}");
        }
        assert_eq!((tokenizer.begin_token(), tokenizer.end_token()), (Some(1), Some(2)), "{name}");
        assert!(tokenizer.adds_begin_token(), "{name}");
    }
}

#[test]
fn a_saved_tokenizer_gives_the_same_ids_and_the_text_back() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("tokenizer.json");
    let golden = PiecesGolden::read();
    let mut letters = GgufFile::letters();
    letters.flag("tokenizer.ggml.add_bos_token", true);
    let pieces = golden.vocabularies.iter().map(|(name, pieces)| {
        let texts = golden.texts.iter().chain(&golden.runs).cloned().collect();
        (name.as_str(), pieces.sample(name), texts)
    });
    for (name, sample, texts) in pieces.chain([("letters", letters, vec!["ab ab12".to_owned()])]) {
        let tokenizer = build(&sample).unwrap();
        tokenizer.save(&path).unwrap();
        let saved = Tokenizer::from_file(&path).unwrap();
        assert_eq!((saved.begin_token(), saved.adds_begin_token()), (Some(1), true), "{name}");
        for text in texts {
            let ids = saved.encode(&text).unwrap();
            assert_eq!(ids, tokenizer.encode(&text).unwrap(), "{name}: {text:?}");
            // Text behind a token found whole begins with a blank of its own.
            if !text.contains("[mark]") {
                assert_eq!(saved.inner.decode(&ids, false).unwrap(), text, "{name}");
            }
        }
    }
}

#[test]
fn phi_3_takes_blanks_behind_its_marks() {
    let golden = PiecesGolden::read();
    let ids = |architecture: Option<&str>, name: Option<&str>, text: &str| {
        let mut sample = golden.vocabularies["llama"].sample("llama");
        architecture.into_iter().for_each(|text| sample.text("general.architecture", text));
        name.into_iter().for_each(|text| sample.text("general.name", text));
        build(&sample).unwrap().encode(text).unwrap()
    };
    let (end, begin) = ("<end_of_turn>", "<s>");
    let plain = |text: &str| ids(None, None, text);
    for phi in [
        |text: &str| (Some("phi3"), None, text.to_owned()),
        |text: &str| (None, Some("Phi-3 mini"), text.to_owned()),
    ] {
        let of = |text: &str| {
            let (architecture, name, text) = phi(text);
            ids(architecture, name, &text)
        };
        assert_eq!(of(&format!("{end} \n {end}")), plain(&format!("{end}{end}")));
        assert_eq!(of(&format!("{begin}  a")), plain(&format!("{begin}  a")));
    }
    assert_ne!(plain(&format!("{end} {end}")), plain(&format!("{end}{end}")));
}

#[test]
fn a_vocabulary_may_lack_kinds_special_tokens_and_texts() {
    let golden = PiecesGolden::read();
    let pieces = &golden.vocabularies["llama"];
    let mut sample = pieces.sample("llama");
    sample.remove("tokenizer.ggml.token_type");
    sample.unsigned("tokenizer.ggml.bos_token_id", 3);
    sample.unsigned("tokenizer.ggml.eos_token_id", 1 << 20);
    sample.flag("tokenizer.ggml.add_bos_token", false);
    let mut tokens: Vec<&str> = pieces.tokens.iter().map(String::as_str).collect();
    (tokens[3], tokens[4]) = ("", "");
    sample.texts("tokenizer.ggml.tokens", &tokens);
    let tokenizer = build(&sample).unwrap();
    assert_eq!(tokenizer.encode(&golden.texts[2]).unwrap(), pieces.ids[2]);
    // An id that isn't there is as good as none.
    assert_eq!((tokenizer.begin_token(), tokenizer.end_token()), (Some(3), Some(2)));
    assert!(!tokenizer.adds_begin_token());
    assert_eq!(tokenizer.token(3).as_deref(), Some("[EMPTY_3]"));
    // Gemma 4 begins every text, whatever its file says.
    let mut sample = golden.vocabularies["gemma4"].sample("gemma4");
    sample.flag("tokenizer.ggml.add_bos_token", false);
    assert!(build(&sample).unwrap().adds_begin_token());
}

mod real;
